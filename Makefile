# The two commands of the README. Everything is installed into .venv from constraints.txt (versions and hashes).
PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check
UV_INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python

.PHONY: demo test scenarios test-postgresql browser lint reliability ui-in-a-browser properties fuzz docs bench bench-large datacontract supply mutation lock clean

demo: .venv/installed
	$(BIN)/kinerja demo

test: .venv/installed browser
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# Whole months computed again under every circumstance: late files, kills, corrections, other databases. CI runs these
# after test and lint.
scenarios: .venv/installed
	$(BIN)/python -m pytest -m scenario -n auto --dist loadfile --no-loadscope-reorder

# Both, their homes publishing to PostgreSQL: a server of the run's own.
test-postgresql: .venv/installed browser
	$(BIN)/python -m pytest -m 'not long' -n auto --dist loadfile --no-loadscope-reorder --warehouse postgresql

# Reports are looked at in a browser: the machine's Chromium, else one that Playwright fetches. Without either the tests
# that need it fail and say so.
browser: .venv/installed
	@for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do \
	  command -v $$name > /dev/null && exit 0; \
	done; $(BIN)/playwright install --only-shell chromium || true

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# What every test run tries a few times, tried long enough to count; prints what it saw, and one table at the end. One
# after the other: most of these tests use both processors by themselves, and some look at the time.
reliability: .venv/installed
	$(BIN)/python -m pytest tests/reliability tests/line/test_privacy.py -m "long or counted" -s

# `kinerja ui` with its daemon, looked at in a browser; KINERJA_SCREENSHOTS=folder keeps what it saw.
ui-in-a-browser: .venv/installed browser
	$(BIN)/python -m pytest tests/line/test_ui_in_a_browser.py -m long -s

# What must hold in every world, in worlds that nobody has tried yet; `make test` tries the same ones every time.
PROPERTY_ROUNDS ?= 5
properties: .venv/installed
	@for round in $$(seq $(PROPERTY_ROUNDS)); do \
	  $(BIN)/python -m pytest -m hypothesis --hypothesis-profile other_worlds -n auto || exit 1; \
	done

# Every reader, and the reader of YAML pages, for a minute each (`make fuzz FUZZ_SECONDS=600`): what covers new code is
# kept and changed further. Linux only; a file that breaks one is left as crash-*.
FUZZ_SECONDS ?= 60
FUZZED := attlog csv csv16 jsonl xlsx page
fuzz: .venv/installed .fuzz/installed
	@for name in $(FUZZED); do echo "== $$name"; \
	  PYTHONPATH=.fuzz $(BIN)/python tests/fuzz/fuzz.py $$name $(FUZZ_SECONDS) 2>&1 | grep -E '^(Done|==[0-9]+== ERROR| *[a-zA-Z_.]*(Error|Exception)|.*crash-)' || exit 1; \
	done
	@! ls crash-* timeout-* oom-* 2> /dev/null

.fuzz/installed: .venv/installed fuzz.txt
	$(PIP_INSTALL) --no-deps --require-hashes --upgrade --target .fuzz -r fuzz.txt
	touch $@

# The pages that are made, not typed; a test fails when one is out of date.
docs: .venv/installed
	$(BIN)/python docs/promises.py
	$(BIN)/python tests/supply/licences.py

# A row per target, what was measured, pass or gap; benchmarks/README.md says what each is. No test: machines are noisy.
bench: .venv/installed .bench/installed
	$(BIN)/python benchmarks/run.py

# What takes longer than anybody waits for: ten and a hundred million taps, a part of the country. The figures are kept in
# benchmarks/large.json, and make bench shows them with their date. EVERY=2: half of the country's regions, 70 GB.
EVERY ?= 138
bench-large: .venv/installed .bench/installed
	$(BIN)/python benchmarks/run.py --large --every $(EVERY)

# An independent peer, in an environment of its own: it lints every contract page and counts what our rules count.
datacontract: .venv/installed .datacontract/installed
	$(BIN)/python tests/peer/datacontract_peer.py --python .datacontract/bin/python

# What is pinned, against the world: what is newer, what is known to be vulnerable, and dist/sbom.json. docs/supply-chain.md
# says how to read it. `make supply SUPPLY_SERVICE=osv` asks osv.dev.
SUPPLY_SERVICE ?= pypi
supply: .venv/installed .supply/installed
	$(BIN)/python tests/supply/supply.py --tools .supply/bin --service $(SUPPLY_SERVICE)

# Would a test notice? A sample of mutants of each of five areas; docs/mutation.md says what came of it and what lived.
# `make mutation MUTATION_SIZE=200 MUTATION_SEED=7` takes hours; MUTATION='--area kpi' one area.
MUTATION_SIZE ?= 50
MUTATION_SEED ?= 1
mutation: .venv/installed .mutation/installed
	nice -n 10 $(BIN)/python tests/mutation/mutation.py --size $(MUTATION_SIZE) --seed $(MUTATION_SEED) $(MUTATION)

.mutation/installed: .venv/installed mutation.txt
	$(PIP_INSTALL) --no-deps --require-hashes --upgrade --target .mutation/lib -r mutation.txt
	touch $@

# What the product and its tests do not need (peers, tools), each in an environment of its own beside the list that pins it.
.%/installed: %.txt .venv/installed
	$(PYTHON) -m venv .$*
	$(BIN)/uv pip install --quiet --python .$*/bin/python --no-deps --require-hashes -r $< || \
	  .$*/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	touch $@

# installer.txt: uv, which fetches side by side where pip fetches one after the other. Where it does not find the way to
# the packages (a mirror that only the settings of pip name), pip does it.
# --no-deps: the list is complete; only hashes have to be checked.
# compileall: all processors at once, where pip would use one; without bytecode every start takes twice as long.
HARDLY_IMPORTED := tests|scipy/[a-z]+|altair|pip|setuptools|mypyc?|pygments/(lexers|styles)|holidays/(countries|financial)|sqlalchemy/dialects/(mysql|oracle|mssql)
.venv/installed: installer.txt constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) --require-hashes -r installer.txt
	$(UV_INSTALL) --no-deps --require-hashes -r constraints.txt || \
	  $(PIP_INSTALL) --no-deps --require-hashes --no-compile -r constraints.txt
	$(UV_INSTALL) --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -qq -j 0 -x '/($(HARDLY_IMPORTED))/' .venv/lib kinerja_pipeline
	touch $@

# Writes the pinned lists anew, ours from pyproject.toml; what is in one keeps its version unless something forbids it.
# atheris 3.1 has no wheel for Python 3.11.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url
lock: .venv/installed
	$(LOCK) --extra dev pyproject.toml -o constraints.txt
	echo uv | $(LOCK) - -o installer.txt
	echo 'datacontract-cli[duckdb]>=1.2.8,<2' | $(LOCK) - -o datacontract.txt
	printf 'duckdb>=1.4,<2\npandas>=2.2\npyarrow>=18\n' | $(LOCK) - -o bench.txt
	printf 'atheris>=3,<3.1; python_version < "3.12"\natheris>=3.1,<4; python_version >= "3.12"\n' | $(LOCK) - -o fuzz.txt
	echo 'mutmut>=3.8,<4' | $(LOCK) -c constraints.txt - -o mutation.txt
	printf 'cyclonedx-bom>=7.5,<8\npip-audit>=2.10,<3\n' | $(LOCK) - -o supply.txt

clean:
	rm -rf .venv .datacontract .bench .fuzz .supply .mutation
