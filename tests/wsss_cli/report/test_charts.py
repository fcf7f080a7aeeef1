import math
import re

import pytest

from wsss_cli.report.charts import HEIGHT, WIDTH, Series, line_chart, smooth, thin, ticks


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.013, 0.6), (3, 3), (0, 0), (-5, -2), (1e-6, 9.3e-5), (10, 20000), (0.3001, 0.3004)]
)
def test_ticks_are_round_few_and_enclose_the_values(low: float, high: float) -> None:
    found = ticks(low, high)
    step = found[1] - found[0]
    mantissa = step / 10 ** math.floor(math.log10(step * 1.000001))
    assert round(mantissa, 6) in (1, 2, 5)
    assert found[0] <= low + 1e-9 * step and high - 1e-9 * step <= found[-1]
    assert 2 <= len(found) <= 7


def test_thin_keeps_the_mean() -> None:
    points = [(float(i), float(i % 7)) for i in range(1000)]
    thinned = thin(points, 100)
    assert len(thinned) == 100
    assert sum(y for _, y in thinned) / 100 == pytest.approx(sum(y for _, y in points) / 1000)
    assert thin(points[:50], 100) == points[:50]


def test_smooth_leaves_a_line_as_it_is() -> None:
    line = [(float(i), 3.0 * i) for i in range(20)]
    assert [y for _, y in smooth(line, 4)] == pytest.approx([y for _, y in line])
    assert max(y for _, y in smooth([(0, 0), (1, 9), (2, 0)], 1)) == 3


@pytest.mark.parametrize("points", [[(5.0, 2.0)], [(0.0, 1.0), (10.0, 1.0)], [(1.0, -3.0), (2.0, 8.0), (90.0, 0.5)]])
def test_curves_stay_inside_the_chart(points: list[tuple[float, float]]) -> None:
    chart = line_chart("<loss>", [Series("a", points)], "iteration", "falls", mark=points[-1])
    path = re.search(r'd="M([^"]*)"', chart)
    drawn = path.group(1).split(" L") if path else [" ".join(re.findall(r'c[xy]="([^"]*)"', chart)[:2])]
    assert len(drawn) == len(points)
    for point in drawn:
        x, y = map(float, point.split())
        assert 0 <= x <= WIDTH and 0 <= y <= HEIGHT
    assert 'aria-label="&lt;loss&gt;: falls"' in chart


def test_ticks_are_the_numbers_they_are_written_as() -> None:
    assert ticks(0.01, 0.6) == [0.0, 0.2, 0.4, 0.6]  # 3 * 0.2 is more than 0.6
