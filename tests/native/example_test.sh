#!/usr/bin/env bash
# example_test.sh PROGRAM TEXT...: the program ends with 0 and its output contains each text.
set -euo pipefail
output=$("$1")
for text in "${@:2}"; do
    if [[ $output != *"$text"* ]]; then
        printf 'expected:\n%s\nprinted:\n%s\n' "$text" "$output"
        exit 1
    fi
done
