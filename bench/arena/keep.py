"""Makes a run the reference: what is committed of it, and what the README shows of it."""
import json
import shutil

from report import goals_in_words, ratios_table

BEGIN, END = "<!-- arena: written by ./build.sh bench --keep -->", "<!-- end of arena -->"
PLOTS = ("ratios-native.svg", "producers.svg", "latency.svg", "depth.svg", "length.svg", "workers.svg", "growth.svg",
         "ratios-managed.svg", "channels.svg")
# What the README shows; the report has all.
CELLS = {
    "native": ("W1", "W2", "W3", "W4", "W5", "W6", "W7", "batch", "bursts", "lanes", "tree", "tree-wait", "pipeline",
               "completion", "ping-pong", "echo"),
    "managed": ("W1", "W2", "W4", "W6", "channel-1x1", "channel-2x2", "channel-8x8", "channel-bounded-2x2", "channel-async-2x2"),
}


def readme_block(cells, document, drawn):
    by_name = {(c.side, c.name): c for c in cells}
    about = document["environment"]
    lines = [BEGIN, f"{about['cpu']}, {about['processors']} processors, Linux {about['kernel']}, commit {about['commit']},",
             f"{about['date']}; medians of {about['repetitions']} interleaved repetitions.", ""]
    for side in ("native", "managed"):
        mine = [c for c in document["cells"] if c["side"] == side and c["cell"] in CELLS[side]]
        if mine:
            lines += [f"**{side.capitalize()}**", "", *ratios_table(by_name, mine)]
    met, missed = goals_in_words(document["cells"])
    lines += [f"Of {len(met) + len(missed)} goals that were measured {len(met)} are met"
              + (". Not met:\n\n" + "\n".join(f"- {text}" for text in missed) + "\n" if missed else "."),
              "All figures and goals: [the report](bench/results/arena/report.md).", ""]
    lines += [f"![{caption}](bench/results/arena/{file})\n" for file, caption in drawn if file in PLOTS]
    return "\n".join([*lines, END])


def replace_block(text, block):
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise SystemExit("bench: README.md has not one block between '" + BEGIN + "' and '" + END + "'")
    return text[:text.index(BEGIN)] + block + text[text.index(END) + len(END):]


def refuse_less_than_all(cells, document):
    if document["environment"]["mode"] != "full":
        raise SystemExit("bench: --keep wants a full run, not --quick")
    there = {(c["side"], c["cell"]) for c in document["cells"]}
    missing = [f"{c.side} {c.name}" for c in cells if (c.side, c.name) not in there]
    if missing:
        raise SystemExit("bench: --keep wants a run of all cells; missing: " + ", ".join(missing))


def without_others(document):
    """The figures that only the plots use are not kept."""
    def kept(row):
        return {name: value for name, value in row.items() if name != "others"}

    return {**document, "cells": [{**cell, "rows": [kept(row) for row in cell["rows"]]} for cell in document["cells"]]}


def keep(out, kept, readme, cells, document, drawn):
    refuse_less_than_all(cells, document)
    for old in kept.glob("*.svg"):
        old.unlink()
    for file in ["report.md", *(file for file, _ in drawn)]:
        shutil.copyfile(out / file, kept / file)
    (kept / "summary.json").write_text(json.dumps(without_others(document), indent=1) + "\n", encoding="utf-8")
    text = readme.read_text(encoding="utf-8")
    readme.write_text(replace_block(text, readme_block(cells, document, drawn)), encoding="utf-8")
    print(f"kept: {kept} and {readme}; commit both")
