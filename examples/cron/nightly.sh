#!/bin/sh
# Run one night; try again while it says "later" (75), and tell somebody of every other failure.
# Usage: nightly.sh CONFIG [DATE]      DATE is today by default: custvalue itself never asks the clock.
set -u

config=$1
as_of=${2:-$(date +%F)}
tries=${CUSTVALUE_TRIES:-8}
pause=${CUSTVALUE_PAUSE:-900}
# A command that takes the text to send as its argument.
alert=${CUSTVALUE_ALERT:-echo}

while :; do
    custvalue nightly -c "$config" --as-of "$as_of"
    code=$?
    [ "$code" -eq 75 ] || break
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || break
    sleep "$pause"
done

case $code in
    0) ;;
    2) $alert "custvalue $as_of: the command or the config is wrong (2); nothing was published" ;;
    3) $alert "custvalue $as_of: late or broken data (3); nothing was published, the last good night stands" ;;
    4) $alert "custvalue $as_of: no usable model (4); nothing was published" ;;
    5) $alert "custvalue $as_of: another run holds the lock or has published something else (5)" ;;
    75) $alert "custvalue $as_of: still not possible after many tries (75)" ;;
    *) $alert "custvalue $as_of: unexpected exit code $code; keep the log and report it" ;;
esac
exit "$code"
