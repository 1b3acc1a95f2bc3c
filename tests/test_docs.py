"""What the documentation names is there: files, functions, the lines it quotes, and formulas that GitHub renders."""

import ast
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = ("cvae", "training", "hub", "web", "tests", "benchmarks", "docs", "examples", "weights")

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CITED = re.compile(r"\[`([\w./]+)`\]\(([^)\s]+\.py)\)(:(?:[,\s>]*`[^`]+`)+)?")
"""A name, or that of the file, the file, and after a colon the lines that are quoted."""
PATH = re.compile(rf"(?<![\w./~-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w|(?<![\w./~-])\w+\.py\b")
MODULE = re.compile(r"-m ((?:cvae|training|benchmarks|hub)\b[\w.]*)")
DISPLAYED = re.compile(r"^\$\$\n(.*?)\n\$\$$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"\$([^$\n]+)\$")

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def prose(text: str) -> str:
    """Without the fenced blocks."""
    return FENCE.sub("", text)


def commands(text: str) -> str:
    """What a reader may type or open: code within the prose, and blocks of shell commands."""
    blocks = [body for _, language, body in FENCE.findall(text) if language == "sh"]
    return "\n".join([*blocks, *CODE.findall(prose(text))])


def definition(path: Path, name: str) -> str | None:
    """The source of a function, class, method or constant of a file, or all of it; None where there is no such name."""
    source = path.read_text()
    if name.endswith(".py"):
        return source
    body: list[ast.stmt] = ast.parse(source).body
    found: ast.stmt | None = None
    for part in name.split("."):
        found = next((node for node in body if part in _names(node)), None)
        if found is None:
            return None
        body = found.body if isinstance(found, ast.ClassDef) else []
    assert found is not None
    return ast.get_source_segment(source, found)


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def wrong_citations(text: str, folder: Path) -> list[str]:
    """Names that are not in the file beside them, and quotations that are not in the code of that name."""
    wrong = []
    for name, target, quotations in CITED.findall(prose(text)):
        source = definition(folder / target, name) if (folder / target).is_file() else None
        if source is None:
            wrong.append(f"{target} has no {name}")
            continue
        wrong += [
            f"{name} in {target} has no {quoted}"
            for quoted in CODE.findall(quotations)
            if squeezed(quoted) not in squeezed(source)
        ]
    return wrong


def squeezed(code: str) -> str:
    """Without the blanks and the quotation's line marks, so that neither wrapping nor indentation matters."""
    return re.sub(r"\s+(?:> )?", "", code)


def anchors(text: str) -> set[str]:
    """What GitHub calls the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def faults_of_math(text: str) -> list[str]:
    """What GitHub's Markdown would spoil before MathJax sees it, and macros that it refuses."""
    text = prose(text)
    text, displayed = DISPLAYED.sub("", text), DISPLAYED.findall(text)
    text = CODE.sub("", text)
    faults = [f"a dollar without its partner: {line}" for line in text.splitlines() if line.count("$") % 2]
    for match in INLINE.finditer(text):
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        if before not in ("", " ", "\n") or after not in ("", *" \n.,:;"):
            faults.append(f"dollars within words: {before}{match[0]}{after}")
        if match[1] != match[1].strip():
            faults.append(f"blanks inside of dollars: {match[0]}")
    for formula in [*displayed, *INLINE.findall(text)]:
        faults += [f"{reason}: {formula}" for pattern, reason in SPOILED.items() if re.search(pattern, formula)]
        if not balanced(formula):
            faults.append(f"unbalanced braces: {formula}")
    return faults


SPOILED = {
    r"\\[^A-Za-z]": "Markdown eats a backslash before punctuation",
    r"(?<![A-Za-z0-9])_": "an underscore that may begin italics",
    r"[*<`]": "a character that means something in Markdown",
    r"(?m)^\s*([-+#] |\d+\. |[=>])": "a line that begins a list or a heading",
    r"\\(operatorname|mbox|phantom|def|newcommand|require|href|class|style|unicode|tag)\b": "a macro GitHub refuses",
    r"\]\(": "what looks like a link",
    r"\n\s*\n": "an empty line",
}


def balanced(formula: str) -> bool:
    depth = 0
    for character in formula:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0 and len(re.findall(r"\\left\b", formula)) == len(re.findall(r"\\right\b", formula))


@documents
def test_links_within_the_project_lead_somewhere(document: Path) -> None:
    text, broken = document.read_text(), []
    for target in LINK.findall(prose(text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        other = document.parent / path if path else document
        if not other.exists() or (anchor and anchor not in anchors(other.read_text())):
            broken.append(target)
    assert broken == []


@documents
def test_functions_and_lines_of_code_are_where_the_text_says(document: Path) -> None:
    assert wrong_citations(document.read_text(), document.parent) == []


@documents
def test_files_and_programs_that_the_text_names_are_there(document: Path) -> None:
    typed = commands(document.read_text())
    missing = [path for path in PATH.findall(typed) if not (ROOT / path).exists() and not is_ignored(path)]
    for module in MODULE.findall(typed):
        path = ROOT / module.replace(".", "/")
        if not (path / "__main__.py").is_file() and not path.with_suffix(".py").is_file():
            missing.append(module)
    assert missing == []


def is_ignored(path: str) -> bool:
    """Whether git leaves it out, as what a command makes."""
    return subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0


@documents
def test_formulas_are_written_so_that_github_renders_them(document: Path) -> None:
    assert faults_of_math(document.read_text()) == []


def test_the_derivation_is_tied_to_the_code_that_computes_it() -> None:
    text = (ROOT / "docs" / "derivation.md").read_text()
    quoted = {name for name, _, quotations in CITED.findall(text) if quotations}
    assert {"kl_divergence", "reconstruction_error", "Gaussian.at", "psnr", "Objective.forward"} <= quoted
    assert len(DISPLAYED.findall(text)) > 20


def test_a_name_and_a_line_that_are_gone_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("class Box:\n    def lid(self) -> int:\n        return (1 +\n            2)\n")
    text = "[`Box.lid`](code.py): `return (1 + 2)`,\n> `return 4`. [`Box.key`](code.py) [`lid`](none.py)"
    wrong = wrong_citations(text, tmp_path)
    assert wrong == ["Box.lid in code.py has no return 4", "code.py has no Box.key", "none.py has no lid"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a $x_t", "without its partner"),
        ("the $x$s", "within words"),
        ("$ x$", "blanks"),
        (r"$\hat{x}_t$", "italics"),
        (r"$a \, b$", "eats a backslash"),
        (r"$\operatorname{KL}$", "refuses"),
        ("$$\na\n+ b\n$$", "begins a list"),
        (r"$\frac{1}{2$", "unbalanced"),
    ],
)
def test_formulas_that_github_would_spoil_are_noticed(text: str, fault: str) -> None:
    faults = faults_of_math(text)
    assert any(fault in found for found in faults), faults


def test_formulas_that_github_renders_pass() -> None:
    assert faults_of_math("With $x_t$, and `$HOME`:\n\n$$\n\\hat x_t = a + \\tfrac{1}{2} b_{t-1}\n$$\n") == []
