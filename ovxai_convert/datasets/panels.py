"""What the report of many photographs says of all of them, HTML: figures, classes, mistakes, failures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from string import Template
from typing import Final

from ovxai_convert.datasets.tally import OTHER_REASONS, Tally
from ovxai_convert.explain.page import as_text

_MOST_ROWS: Final = 100
"""Of a panel's list: so many classes, mistakes or reasons are shown."""
_MOST_IN_MATRIX: Final = 12
"""Up to so many classes and truths every pair of them has a cell."""
_NARROW: Final = 6
"""Up to so many of them fit beside other panels."""
_SHADES: Final = 6

_PANEL: Final = Template("""\
<section class="panel $kind" aria-labelledby="$name-title">
<h2 id="$name-title">$title</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="$name-title">
$body$aside
</div>
</section>""")

_CLASS: Final = Template("""\
<li data-class="$number"><span class="what"><bdi>$label</bdi></span> <span class="times">$times</span>
<svg class="share" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">\
<rect width="$all" height="1"></rect>\
<rect class="right" width="$right" height="1"></rect>\
<rect class="wrong" x="$right" width="$wrong" height="1"></rect></svg></li>""")

_MISTAKE: Final = Template("""\
<li data-class="$number" data-truth="$truth"><span class="what">\
<bdi>$is_named</bdi> taken for <bdi>$taken_for</bdi></span> <span class="times">$times</span></li>""")


def panels(tally: Tally) -> tuple[str, str]:
    """All panels that there is something to say in: those that stand side by side, and the wide one."""
    answers, wide = _answers(tally), _NARROW < _most_in_a_row(tally) <= _MOST_IN_MATRIX
    beside = (_classes(tally), "" if wide else answers, _failures(tally))
    return "\n".join(filter(None, beside)), answers if wide else ""


def figures(tally: Tally) -> str:
    """The numbers at the head, as items of a list of terms."""
    found = [("Photographs", f"{tally.photographs:,}")]
    if tally.maps + tally.failed != tally.listed:
        found.append(("Maps", f"{tally.maps:,}"))
    if tally.judged:
        share = f"{100 * tally.right / tally.judged:.1f} %"
        counted = f'<span class="aside">{tally.right:,} of {tally.judged:,}</span>'
        found.append(("Right answers", f"{share} {counted}"))
    found.append(("Not explained", f"{tally.failed:,}"))
    return "\n".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in found)


def _panel(kind: str, title: str, body: str, aside: str = "") -> str:
    note = f'\n<p class="note">{as_text(aside)}</p>' if aside else ""
    return _PANEL.substitute(kind=kind, name=kind.split()[0], title=title, body=body, aside=note)


def _classes(tally: Tally) -> str:
    """How many photographs have each class for an answer."""
    numbers = tally.common_classes()
    if not numbers:
        return ""
    largest, names = tally.counts[numbers[0]].photographs, tally.class_names()
    items = []
    for number in numbers[:_MOST_ROWS]:
        count = tally.counts[number]
        shares = (100 * part / largest for part in (count.photographs, count.right, count.wrong))
        everything, right, wrong = (f"{share:.1f}" for share in shares)
        times = _times(count.photographs, count.wrong if tally.judged else 0)
        items.append(
            _CLASS.substitute(
                number=number,
                label=as_text(names[number]),
                times=times,
                all=everything,
                right=right,
                wrong=wrong,
            )
        )
    rest = numbers[_MOST_ROWS:]
    more = sum(tally.counts[number].photographs for number in rest)
    note = f"{len(rest):,} more classes with {more:,} photographs stand in the list's filter." if rest else ""
    title = "Answers" if tally.ranked_first else "Classes"
    title = (
        f'{title} <span class="aside">{len(numbers):,} {"class" if len(numbers) == 1 else "classes"}</span>'
    )
    return _panel("classes", title, f'<ul class="bars">{"".join(items)}</ul>', note)


def _times(photographs: int, wrong: int) -> str:
    return f'{photographs:,}, <span class="wrong">{wrong:,} wrong</span>' if wrong else f"{photographs:,}"


def _most_in_a_row(tally: Tally) -> int:
    """How many truths there are, or answers, if these are more."""
    return max((len(set(each)) for each in zip(*tally.answers, strict=True)), default=0)


def _answers(tally: Tally) -> str:
    """Which answers photographs of each kind got: every pair, or the mistakes if there are too many."""
    if not tally.answers:
        return ""
    if _most_in_a_row(tally) <= _MOST_IN_MATRIX:
        kind = "matrix wide" if _most_in_a_row(tally) > _NARROW else "matrix"
        return _panel(kind, "Truth and answer", _matrix(tally))
    names, known = tally.class_names(), list(tally.truths)
    mistakes = [(pair, times) for pair, times in tally.mistakes.most_common() if times]
    items = "".join(
        _MISTAKE.substitute(
            number=number,
            truth=truth,
            is_named=as_text(known[truth]),
            taken_for=as_text(names[number]),
            times=f"{times:,}",
        )
        for (truth, number), times in islice(mistakes, _MOST_ROWS)
    )
    rest = mistakes[_MOST_ROWS:]
    note = f"The {_MOST_ROWS} commonest of {len(mistakes):,} pairs." if rest else ""
    body = f'<ul class="bars">{items}</ul>' if items else '<p class="none">None.</p>'
    return _panel("mistakes", "Mistakes", body, note)


def _matrix(tally: Tally) -> str:
    """A table: a row for each truth, a column for each answer, in the same order if they are called alike."""
    names, known = tally.class_names(), list(tally.truths)
    truths, numbers = (set(each) for each in zip(*tally.answers, strict=True))
    rows = sorted(truths, key=lambda truth: known[truth].casefold())
    columns = sorted(numbers, key=lambda number: names[number].casefold())
    head = "".join(f'<th scope="col"><bdi>{as_text(names[number])}</bdi></th>' for number in columns)
    lines = [f'<thead><tr><th scope="col">Truth, below; answer</th>{head}</tr></thead><tbody>']
    for truth in rows:
        most = max(tally.answers[truth, number] for number in columns)
        cells = "".join(_cell(tally, truth, number, most) for number in columns)
        lines.append(f'<tr><th scope="row"><bdi>{as_text(known[truth])}</bdi></th>{cells}</tr>')
    return "<table>{}</tbody></table>".format("\n".join(lines))


def _cell(tally: Tally, truth: int, number: int, most: int) -> str:
    """A pair's cell: the darker, the more of its row it has."""
    times = tally.answers[truth, number]
    if not times:
        return '<td class="never">0</td>'
    kind = "wrong" if tally.mistakes[truth, number] else "right"
    shade = 1 + (_SHADES - 1) * times // most
    return f'<td class="{kind} shade-{shade}" data-truth="{truth}" data-class="{number}">{times:,}</td>'


def _failures(tally: Tally) -> str:
    """Why photographs could not be explained, the commonest reason first."""
    if not tally.failed:
        return ""
    items = "".join(_reasons(tally))
    rest = len(tally.failures) - _MOST_ROWS
    note = f"The {_MOST_ROWS} commonest of {len(tally.failures):,} reasons." if rest > 0 else ""
    return _panel("failures", "Not explained", f'<ul class="bars">{items}</ul>', note)


def _reasons(tally: Tally) -> Iterator[str]:
    for reason, times in tally.failures.most_common(_MOST_ROWS):
        pick = "" if reason == OTHER_REASONS else f' data-reason="{as_text(reason)}"'
        yield (
            f'<li{pick}><span class="what"><bdi>{as_text(reason)}</bdi></span> '
            f'<span class="times">{times:,}</span></li>'
        )
