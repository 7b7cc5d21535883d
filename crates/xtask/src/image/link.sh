#!/bin/sh
# What cargo calls in place of rustc for the crates of this workspace. Our programs are linked with all
# that they need, C library included; the crates that they are made of are compiled as ever.
case ${CARGO_BIN_NAME-} in
  countersign*) exec "$@" -C target-feature=+crt-static ;;
  *) exec "$@" ;;
esac
