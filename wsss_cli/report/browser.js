"use strict";
// The list of images as a browser: filters, order, keyboard, one image enlarged. Without it the list stands as it is.
(() => {
  const form = document.querySelector("form.browser"), list = document.querySelector("ul.shots");
  const viewer = document.querySelector("dialog.viewer"), large = viewer.querySelector(".large");
  const all = [...list.children].map((item, place) => ({ item, place, ...numbers(item.dataset) }));
  let shown = all, open = 0, enlarged = 0;

  function numbers(data) {
    const iou = new Map(data.iou.split(" ").filter(Boolean).map((part) => part.split(":")));
    const number = (text) => (text === "" ? NaN : Number(text));
    return { id: data.id, iou, truth: new Set(data.truth.split(" ")), miou: number(data.miou), sure: number(data.certainty) };
  }

  // IoU of the chosen class, of the image if none is chosen.
  const score = (shot, cls) => (cls ? Number(shot.iou.get(cls) || NaN) : shot.miou);
  const missed = (shot, cls) => Number(shot.iou.get(cls)) === 0 && shot.truth.has(cls);
  const madeUp = (shot, cls) => !shot.truth.has(cls) && shot.iou.get(cls) !== "";

  function wanted(shot, cls, error, text) {
    const among = (cls ? [cls] : [...shot.iou.keys()]).filter((id) => shot.iou.has(id) && id !== "0");
    const wrong = { missed, "made-up": madeUp }[error];
    return (!cls || shot.iou.has(cls)) && shot.id.toLowerCase().includes(text) && (!wrong || among.some((id) => wrong(shot, id)));
  }

  function comparison(sort, cls) {
    const by = (value) => (a, b) => (isNaN(value(a)) - isNaN(value(b))) || value(a) - value(b) || a.place - b.place;
    return {
      worst: by((shot) => score(shot, cls)), best: by((shot) => -score(shot, cls)),
      unsure: by((shot) => shot.sure), sure: by((shot) => -shot.sure),
      fooled: by((shot) => score(shot, cls) - shot.sure), name: (a, b) => a.id.localeCompare(b.id),
    }[sort];
  }

  function show() {
    const { sort, search } = form.elements, cls = form.elements.class.value;
    const error = form.elements.error ? form.elements.error.value : "", text = search.value.trim().toLowerCase();
    shown = all.filter((shot) => wanted(shot, cls, error, text)).sort(comparison(sort.value, cls));
    const kept = new Set(shown);
    for (const shot of all) shot.item.hidden = !kept.has(shot);
    list.append(...shown.map((shot) => shot.item));
    form.querySelector("output").textContent = `${shown.length} of ${all.length} images`;
    reach(0);
  }

  // One image alone is reached by Tab; arrow keys lead to the others.
  function reach(at, focus) {
    all.forEach((shot) => { shot.button.tabIndex = -1; });
    if (!shown.length) return;
    open = Math.max(0, Math.min(shown.length - 1, at));
    shown[open].button.tabIndex = 0;
    if (focus) shown[open].button.focus();
  }

  function enlarge(at) {
    reach(at);
    enlarged = open;
    const copy = [...shown[open].item.children].map((child) => child.cloneNode(true));
    const title = document.createElement("strong");
    title.textContent = shown[open].id;
    large.replaceChildren(title, ...copy.slice(1));
    if (!viewer.open) viewer.showModal();
  }

  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };

  function step(event, go) {
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(open + steps[event.key]);
  }

  for (const shot of all) {
    shot.button = document.createElement("button");
    Object.assign(shot.button, { type: "button", className: "id", textContent: shot.id });
    shot.button.setAttribute("aria-haspopup", "dialog");
    shot.item.querySelector(".id").replaceWith(shot.button);
    shot.item.addEventListener("click", () => enlarge(shown.indexOf(shot)));
  }
  list.addEventListener("focusin", (event) => { open = Math.max(0, shown.findIndex((shot) => shot.button === event.target)); });
  list.addEventListener("keydown", (event) => step(event, (at) => reach(at, true)));
  viewer.addEventListener("keydown", (event) => step(event, enlarge));
  viewer.addEventListener("click", (event) => {
    if (event.target === viewer || event.target.value === "close") viewer.close();
    else if (event.target.value) enlarge(open + Number(event.target.value));
  });
  viewer.addEventListener("close", () => reach(enlarged, true)); // not the one that the browser gives the focus back to
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", show);
  form.hidden = false;
  show();
})();
