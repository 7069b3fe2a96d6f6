# Two commands do all the set-up: `make demo` and `make test`. PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
# For test-matrix; those that are not there are skipped.
PYTHONS ?= python3.11 python3.12 python3.13
TRANSFORMERS ?= ==4.57.* ==5.5.* ==5.12.* >=5.5,<6
SESSIONS ?= folders load package summary
VENV := .venv/bin
MINIMAL := .venv-minimal/bin

.PHONY: demo app browser java test test-matrix fuzz lint format benchmark-sample clean

# A full environment for training, tests and checks.
.venv/installed: setup.cfg constraints.txt
	$(PYTHON) -m venv .venv
	$(VENV)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

.venv/installed-fuzz: .venv/installed
	$(VENV)/pip install --quiet --constraint constraints.txt --editable '.[fuzz]'
	touch $@

# What a user of a published model has, and nothing else: the tests load model folders with it.
.venv-minimal/installed: constraints.txt
	$(PYTHON) -m venv .venv-minimal
	$(MINIMAL)/pip install --quiet --constraint constraints.txt torch 'transformers>=5.5,<6' jieba emoji
	touch $@

demo: .venv/installed
	$(VENV)/aslstm try
	mkdir -p outputs
	$(VENV)/aslstm predict aslstm/data/sample/test.jsonl --output outputs/answers.csv --prefix predicted_ --overwrite
	$(VENV)/aslstm report --input outputs/answers.csv --prefix predicted_ --output outputs/report --overwrite
	$(VENV)/aslstm train --evaluate_test --max_train_samples 2000 --overwrite

# The built-in model in the browser.
app: .venv/installed
	$(VENV)/aslstm app

# What the test of the app looks with: a Chromium that is there, Debian's, or Playwright's. Without one that test is skipped.
browser: .venv/installed
	command -v chromium || command -v chromium-browser || command -v google-chrome \
		|| { test "$$(id -u)" = 0 && timeout 60 apt-get -qq update && DEBIAN_FRONTEND=noninteractive timeout 240 \
			apt-get -qq install -y --no-install-recommends chromium fonts-noto-cjk fonts-noto-color-emoji; } \
		|| timeout 90 $(VENV)/playwright install --with-deps chromium \
		|| echo "no browser could be installed"

# What Spark runs on: a Java that is there, or Debian's. Without one the test of Spark is skipped.
java:
	command -v java || test -x "$$JAVA_HOME/bin/java" \
		|| { test "$$(id -u)" = 0 && timeout 60 apt-get -qq update && DEBIAN_FRONTEND=noninteractive timeout 240 \
			apt-get -qq install -y --no-install-recommends default-jre-headless; } \
		|| echo "no Java could be installed"

test: .venv/installed .venv-minimal/installed browser java
	HF_HUB_OFFLINE=1 $(VENV)/pytest --numprocesses 2 --dist worksteal

# A million inputs or ten minutes.
fuzz: .venv/installed-fuzz
	HF_HUB_OFFLINE=1 $(VENV)/python -m tests.fuzz.run_targets

.venv-nox/installed:
	$(PYTHON) -m venv .venv-nox
	.venv-nox/bin/pip install --quiet nox
	touch $@

# An environment for each interpreter and release of transformers, fresh each time, and a table of what passed.
test-matrix: .venv-nox/installed
	rm -rf .venv-matrix
	PYTHONS='$(PYTHONS)' TRANSFORMERS='$(TRANSFORMERS)' .venv-nox/bin/nox --session $(SESSIONS)

lint: .venv/installed
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	! command -v $(VENV)/hadolint || $(VENV)/hadolint Dockerfile

format: .venv/installed
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

benchmark-sample: .venv/installed
	$(VENV)/python -m benchmarks.sample_corpus

clean:
	rm -rf .venv .venv-minimal .venv-nox .venv-matrix outputs build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
