"""`edgeface model`: what a bundle is, and whether it is undamaged."""

from ..build import load_bundle
from ..model.runtime import open_session

EXAMPLE = """examples:
  edgeface model info
  edgeface model verify my-bundle"""


def add_arguments(parser):
    """Adds the verb's arguments."""
    parser.add_argument("action", choices=("info", "verify"), help="describe, or check hashes and load every graph")
    parser.add_argument("bundle", metavar="BUNDLE", nargs="?", default="", help="folder; the package's by default")


def execute(options):
    """Runs the verb; a damaged bundle is exit code 65."""
    bundle = load_bundle(options.bundle)
    if options.action == "info":
        print("name       %s %s" % (bundle.name, bundle.version))
        print("folder     %s" % bundle.folder)
        print("licence    %s" % bundle.licence)
        print("origin     %s" % bundle.origin)
        print("look-ahead %s ms (default %d)" % (", ".join(map(str, sorted(bundle.steps))), bundle.latency_ms))
        print("files      " + ", ".join(sorted(bundle.files)))
        return
    for graph in sorted(set(bundle.steps.values()) | set(bundle.wholes.values())):
        open_session("%s/%s" % (bundle.folder, graph))
    print("%s: %d files as described, all graphs load" % (bundle.folder, len(bundle.files)))
