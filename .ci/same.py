"""Whether two builds of the website are the same, but for who built them and what took how long."""

from __future__ import annotations

import re
import sys
from pathlib import Path

DIFFERENT = re.compile(rb'<meta name="generator"[^>]*>|\s*\d+(\.\d+)? s\b|seconds\W+[\d.]+')


def files(site: Path) -> dict[Path, bytes]:
    made = [f for f in site.rglob("*") if f.is_file() and f.suffix not in (".gz", ".pdf")]
    return {f.relative_to(site): DIFFERENT.sub(b"", f.read_bytes()) for f in made}


one, other = (files(Path(place)) for place in sys.argv[1:])
differ = sorted(str(f) for f in one.keys() | other.keys() if one.get(f) != other.get(f))
print(f"{len(one)} files; different: {', '.join(differ) or 'none'}")
sys.exit(bool(differ) or not one)
