#!/usr/bin/env bash
# The same for SMP2020-EWECT, usual: train_scripts/recipes/smp2020_ewect.sh DATA_DIR OUTPUT_DIR [SEED]
set -euo pipefail
source "$(dirname "$0")/pretrained.sh"

train --dataset smp2020_ewect --output_dir "$output/smp2020_ewect"
