#!/usr/bin/env bash
# From raw corpora to the teachers of the students: train_scripts/recipes/teachers.sh DATA_DIR OUTPUT_DIR [SEED]
# They are the models of nlpcc2014.sh and smp2020_ewect.sh, and one for NLPCC 2014 that reads in both directions. What OUTPUT_DIR
# has already is left alone.
set -euo pipefail
recipes=$(dirname "$0")
source "$recipes/pretrained.sh"

for teacher in nlpcc2014 smp2020_ewect; do
    [ -e "$output/$teacher" ] || "$recipes/$teacher.sh" "$data" "$output" "$seed"
done
[ -e "$output/nlpcc2014_both" ] || train --dataset nlpcc2014 --emoji_row_repeats 1 --emoji_prior_weight 0.5 \
    --output_dir "$output/nlpcc2014_both"
