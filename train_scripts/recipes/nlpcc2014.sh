#!/usr/bin/env bash
# From raw corpora to the published folder of NLPCC 2014: train_scripts/recipes/nlpcc2014.sh DATA_DIR OUTPUT_DIR [SEED]
# DATA_DIR holds a folder each: nlpcc2014/, smp2020_ewect/, weibo_senti_100k/, weibo_reposts/. Under an hour on two CPU cores.
# Test files are read at the end, to be scored. PYTHON chooses the interpreter.
set -euo pipefail
source "$(dirname "$0")/pretrained.sh"

[ -e "$output/nlpcc2014.whole" ] || train --dataset nlpcc2014 --emoji_row_repeats 1 --emoji_prior_weight 0.5 --unidirectional \
    --output_dir "$output/nlpcc2014.whole"
# The reposts have doubled the words; those that they hardly use cost no more than .002 of macro-F1 on validation.
"$python" "$(dirname "$0")/prune_words.py" "$output/nlpcc2014.whole" "$output/nlpcc2014" 34.9 "${posts[@]}"
