"""The cost curve of ``./bench media --curve`` as a picture."""

from collections.abc import Callable
from typing import Any

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 420, 70, 56, 170, 60
COLOURS = {"relay": "#0b6e4f", "janus": "#b5482a"}
NAMES = {"relay": "this relay", "janus": "Janus"}


def draw(points: list[dict[str, Any]]) -> str:
    """Cores over calls, one line a server, labelled at its end."""
    lines = {"relay": [(point["calls"], point["cpu_cores"]) for point in points]}
    if "against" in points[0]:
        lines["janus"] = [(point["calls"], point["against"]["cpu_cores"]) for point in points]
    most = max(calls for line in lines.values() for calls, _ in line)
    top = max(0.2, 1.15 * max(cores for line in lines.values() for _, cores in line))

    def x(calls: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * calls / most

    def y(cores: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * cores / top

    shapes = _axes(x, y, most, top)
    for name, line in lines.items():
        path = " ".join(f"{x(calls):.1f},{y(cores):.1f}" for calls, cores in line)
        colour = COLOURS[name]
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        shapes += [f'<circle cx="{x(calls):.1f}" cy="{y(cores):.1f}" r="4" fill="{colour}"/>' for calls, cores in line]
        calls, cores = line[-1]
        shapes.append(
            f'<text x="{x(calls) + 10:.1f}" y="{y(cores) + 5:.1f}" fill="{colour}" font-weight="600">'
            f"{NAMES[name]} {cores:.2f}</text>"
        )
    title = "Cores used by the media server over running calls (lower is better)"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="14"><title>{title}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text x="{LEFT}" y="30" font-size="17" font-weight="600" fill="#1b1f23">{title}</text>'
        + "".join(shapes)
        + "</svg>\n"
    )


def _axes(x: Callable[[float], float], y: Callable[[float], float], most: int, top: float) -> list[str]:
    shapes = []
    step = 0.1 if top < 1 else 0.25
    for n in range(int(top / step) + 1):
        at = y(n * step)
        shapes.append(f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="#dde2e6"/>')
        shapes.append(f'<text x="{LEFT - 10}" y="{at + 5:.1f}" text-anchor="end" fill="#57606a">{n * step:.2f}</text>')
    below = HEIGHT - BOTTOM + 22
    shapes += [
        f'<text x="{x(calls):.1f}" y="{below}" text-anchor="middle" fill="#57606a">{calls}</text>'
        for calls in (0, 10, 25, 50, 100)
        if calls <= most
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    shapes.append(
        f'<text x="{middle:.0f}" y="{HEIGHT - 14}" text-anchor="middle" fill="#57606a">calls at once, both ways</text>'
    )
    return shapes
