#!/usr/bin/env bash
# The same for SMP2020-EWECT, virus: train_scripts/recipes/smp2020_ewect_virus.sh DATA_DIR OUTPUT_DIR [SEED]
# It starts from the model of the usual corpus, which has the same labels and four times the rows. A bag of words fitted on so few
# rows makes it worse on validation.
set -euo pipefail
source "$(dirname "$0")/pretrained.sh"

[ -e "$output/smp2020_ewect" ] || "$(dirname "$0")/smp2020_ewect.sh" "$data" "$output" "$seed"
train --dataset smp2020_ewect_virus --init_from "$output/smp2020_ewect" --bag_of_words_weight 0 \
    --output_dir "$output/smp2020_ewect_virus"
