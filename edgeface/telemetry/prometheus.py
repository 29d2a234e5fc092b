"""The newest log object as a text file for node_exporter's textfile collector."""

import os
import re


def metrics(values, prefix="edgeface"):
    """Lines `name{...} value` of all numbers in a log object (dict), as str; None is left out."""
    lines = []

    def walk(name, labels, value):
        if isinstance(value, (bool, int, float)):
            text = (
                "{{{}}}".format(",".join('{}="{}"'.format(*label) for label in labels))
                if labels
                else ""
            )
            lines.append(f"{name}{text} {float(value)!r}")
        elif isinstance(value, dict):
            for key, inner in value.items():
                walk(
                    name,
                    labels
                    + [
                        (
                            "k%d" % len(labels) if labels else "name",
                            re.sub(r'["\\\n]', "_", str(key)),
                        )
                    ],
                    inner,
                )

    for key, value in values.items():
        if key != "latency_bins_ms":
            walk("{}_{}".format(prefix, re.sub(r"\W", "_", key)), [], value)
    return "\n".join(lines) + "\n"


def write_metrics(path, values):
    """Replaces the file at once; OSError when it cannot be written."""
    temporary = "%s.%d.tmp" % (path, os.getpid())
    with open(temporary, "w") as file:
        file.write(metrics(values))
    os.replace(temporary, path)
