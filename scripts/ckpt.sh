#!/bin/sh
# Runs the CLI from its TypeScript sources. `exec` keeps it one process, so a signal reaches ckpt itself,
# and the flags are inherited by its worker threads.
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
exec node --conditions=@ckpt/source --import "$here/register-typescript.mjs" "$here/../apps/cli/src/main.ts" "$@"
