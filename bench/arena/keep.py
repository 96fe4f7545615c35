"""Makes a run the reference: what is committed of it, and what the README shows of it."""
import json
import shutil

from report import goals_table, ratios_table

BEGIN, END = "<!-- arena: written by ./build.sh bench --keep -->", "<!-- end of arena -->"
SHOWN = ("ratios-native.svg", "producers.svg", "latency.svg", "depth.svg", "length.svg", "workers.svg", "growth.svg",
         "ratios-managed.svg", "channels.svg")


def readme_block(cells, document, drawn):
    by_name = {(c.side, c.name): c for c in cells}
    about = document["environment"]
    lines = [BEGIN, f"{about['cpu']}, {about['processors']} processors, Linux {about['kernel']}, commit {about['commit']}, "
             f"{about['date']}; medians of {about['repetitions']} interleaved repetitions.", ""]
    for side in ("native", "managed"):
        mine = [c for c in document["cells"] if c["side"] == side]
        if mine:
            lines += [f"**{side.capitalize()}**", "", *ratios_table(by_name, mine)]
    lines += ["What we want, and where we are:", "", *goals_table(document["cells"])]
    lines += [f"![{caption}](bench/results/arena/{file})\n" for file, caption in drawn if file in SHOWN]
    return "\n".join([*lines, END])


def replace_block(text, block):
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise SystemExit("bench: README.md has not one block between '" + BEGIN + "' and '" + END + "'")
    return text[:text.index(BEGIN)] + block + text[text.index(END) + len(END):]


def keep(out, kept, readme, cells, document, drawn):
    if document["environment"]["mode"] != "full":
        raise SystemExit("bench: --keep wants a full run, not --quick")
    for old in kept.glob("*.svg"):
        old.unlink()
    for file in ["report.md", *(file for file, _ in drawn)]:
        shutil.copyfile(out / file, kept / file)
    (kept / "summary.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    text = readme.read_text(encoding="utf-8")
    readme.write_text(replace_block(text, readme_block(cells, document, drawn)), encoding="utf-8")
    print(f"kept: {kept} and {readme}; commit both")
