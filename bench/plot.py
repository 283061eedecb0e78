"""A log-log line plot as SVG, without a plotting library: three lines need none."""

import math

WIDTH, HEIGHT, MARGIN = 360, 260, 48
COLOURS = ("#0b6e4f", "#1f4e9c", "#b5482a")


def svg(lines: dict[str, list[tuple[float, float]]]) -> str:
    """One small panel for each line, side by side."""
    total = WIDTH * len(lines)
    panels = "".join(
        f'<g transform="translate({WIDTH * index},0)">{_panel(title, points, colour)}</g>'
        for index, ((title, points), colour) in enumerate(zip(lines.items(), COLOURS, strict=True))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {HEIGHT}" '
        f'font-family="sans-serif" font-size="11"><rect width="{total}" height="{HEIGHT}" '
        f'fill="white"/>{panels}</svg>\n'
    )


def _half(x: float) -> float:
    """Half the width of a label, and a gap."""
    return len(f"{x:.7g}") * 3.2 + 3


def _panel(title: str, points: list[tuple[float, float]], colour: str) -> str:
    left, right = math.log10(points[0][0]), math.log10(points[-1][0])
    low = math.floor(min(math.log10(y) for _, y in points))
    high = math.ceil(max(math.log10(y) for _, y in points))

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - left) / (right - left)
        up = (math.log10(y) - low) / max(1, high - low)
        return (
            MARGIN + across * (WIDTH - 2 * MARGIN),
            HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN),
        )

    grid = ""
    for power in range(low, high + 1):
        _, y = place(points[0][0], 10.0**power)
        grid += (
            f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
            f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>'
        )
    free = 0.0  # where the next label may begin; the last point has one in any case
    last = place(points[-1][0], 10.0**low)[0] - _half(points[-1][0])
    for x, _ in points:
        at, _ = place(x, 10.0**low)
        begins, ends = at - _half(x), at + _half(x)
        if begins < free or (x != points[-1][0] and ends > last):
            continue
        free = ends
        grid += f'<text x="{at:.1f}" y="{HEIGHT - MARGIN + 16}" text-anchor="middle">{x:.7g}</text>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'
        for x, y in (place(*point) for point in points)
    )
    return (
        f'<text x="{WIDTH / 2}" y="20" text-anchor="middle" font-weight="bold">{title}</text>{grid}'
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'
    )
