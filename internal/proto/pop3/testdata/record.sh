#!/bin/sh
# The captures of this folder are recorded together with those of IMAP: the
# same server serves both.
exec "$(dirname "$0")/../../imap/testdata/record.sh"
