"""Compares the ratios of a run with those of the reference run."""


def key_of(cell, ratio):
    return cell["side"], cell["cell"], ratio["peer"], ratio["metric"]


def ratios_of(document):
    return {key_of(cell, ratio): ratio for cell in document["cells"] for ratio in cell["ratios"]}


def tolerance_of(tolerances, key, ratio):
    """By what factor a ratio may be worse: that of the row, else that of its kind."""
    name = " ".join(key)
    return tolerances["rows"].get(name, tolerances["kinds"][ratio["tolerance"]])


def worse_by(then, now):
    """The factor by which a ratio is worse now; below 1 it is better."""
    return then["ratio"] / now["ratio"] if then["more_is_better"] else now["ratio"] / then["ratio"]


def described(ratio):
    return f"{ratio['ratio']:.3f}" + (f" of {ratio['rival']}" if ratio["rival"] else "")


def compare(reference, document, tolerances, wanted=lambda side, cell: True):
    """What is worse by more than its tolerance, or missing: for each (key, a sentence). `wanted`: the cells that
    this run was asked for."""
    now = ratios_of(document)
    for key, then in ratios_of(reference).items():
        name = " ".join(key)
        if not wanted(key[0], key[1]):
            continue
        if key not in now:
            yield key, f"{name}: was {described(then)}, and has no ratio now"
            continue
        factor, limit = worse_by(then, now[key]), tolerance_of(tolerances, key, then)
        if factor > limit:
            yield key, (f"{name}: {described(now[key])}, was {described(then)}: "
                        f"worse by {factor:.2f}, tolerated {limit:g}")
