"""A flame graph as SVG: each frame as wide as its share of the samples, its caller below it."""
import collections
import html
import zlib

WIDTH, ROW, MARGIN, LETTER = 1200, 16, 28, 6.6
WIDTH_MIN = 1.0  # frames narrower than this are left out


class _Frame:
    def __init__(self):
        self.count, self.inner = 0, collections.defaultdict(_Frame)


def svg(stacks: collections.Counter, title: str) -> str:
    root = _Frame()
    for stack, count in stacks.items():
        frame = root
        frame.count += count
        for name in stack:
            frame = frame.inner[name]
            frame.count += count
    boxes = []
    depth = _draw(root, 0.0, 0, WIDTH / max(1, root.count), root.count, boxes)
    height = MARGIN + ROW * depth + 4
    drawn = "".join(box.replace("@Y@", str(height - 4 - ROW * (level + 1))).replace("@T@", str(height - 8 - ROW * level))
                    for level, box in boxes)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="monospace" font-size="11">\n'
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
            f'<text x="6" y="17" font-size="13">{html.escape(title)}</text>\n{drawn}</svg>\n')


def _draw(frame: _Frame, x: float, level: int, scale: float, total: int, boxes: list) -> int:
    """Draws what a frame called; returns how many rows that took."""
    deepest = level
    for name, inner in sorted(frame.inner.items()):
        width = inner.count * scale
        if width >= WIDTH_MIN:
            room = int((width - 4) / LETTER)
            label = html.escape(name if len(name) <= room else name[:max(0, room - 1)] + "…") if room > 3 else ""
            hue = (200 if name.endswith("_[k]") else 20) + zlib.crc32(name.encode()) % 30
            text = f'<text x="{x + 2:.1f}" y="@T@">{label}</text>' if label else ""
            boxes.append((level, f'<g><title>{html.escape(name)}: {inner.count / total:.2%}</title>'
                                 f'<rect x="{x:.1f}" y="@Y@" width="{width:.1f}" height="{ROW - 1}" '
                                 f'fill="hsl({hue},75%,72%)"/>{text}</g>\n'))
            deepest = max(deepest, _draw(inner, x, level + 1, scale, total, boxes))
        x += width
    return max(deepest, level)
