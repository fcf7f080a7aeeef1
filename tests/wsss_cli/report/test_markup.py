from wsss_cli.report.markup import Html, el, join, percent


def test_text_and_attributes_are_escaped_and_markup_is_not() -> None:
    inner = el("b", "1 < 2 & 3")
    outer = el("p", inner, None, '"said"', attrs={"title": '<"&'})
    assert outer == '<p title="&lt;&#34;&amp;"><b>1 &lt; 2 &amp; 3</b>&#34;said&#34;</p>'


def test_joined_text_is_markup() -> None:
    assert isinstance(join(["<", Html("<br/>")]), Html)
    assert join(["<", Html("<br/>")]) == "&lt;<br/>"


def test_percent_of_no_number_is_a_dash() -> None:
    assert [percent(v) for v in (0.4567, None, float("nan"))] == ["45.7", "–", "–"]
