#!/usr/bin/env bash
# The same for SMP2020-EWECT, usual: train_scripts/recipes/smp2020_ewect.sh DATA_DIR OUTPUT_DIR [SEED]
set -euo pipefail
source "$(dirname "$0")/pretrained.sh"

pretrain_large
train --dataset smp2020_ewect --init_from "$output/pretrained_large" --output_dir "$output/smp2020_ewect"
