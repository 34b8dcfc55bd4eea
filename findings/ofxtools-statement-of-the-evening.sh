#!/usr/bin/env bash
# ofxtools 1.1.1: a broker's statement as of 19:00 of 2024-12-31, New York, comes out as of 2025-01-01: times are turned
# into UTC and their zone is dropped, so that `.date()` values the positions on a day without a session.
# Expected: a time in the zone that the file states. Instead: take it to the exchange's zone before asking for its date.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check ofxtools==1.1.1
cd "$work"
cat > statement.ofx <<'OFX'
OFXHEADER:100
DATA:OFXSGML
VERSION:102
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20241231190000[-5:EST]<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>
<INVSTMTMSGSRSV1><INVSTMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><INVSTMTRS><DTASOF>20241231190000[-5:EST]<CURDEF>USD
<INVACCTFROM><BROKERID>broker.example<ACCTID>1</INVACCTFROM><INVPOSLIST><POSSTOCK><INVPOS>
<SECID><UNIQUEID>67066G104<UNIQUEIDTYPE>CUSIP</SECID><HELDINACCT>CASH<POSTYPE>LONG<UNITS>10<UNITPRICE>134.29<MKTVAL>1342.90
<DTPRICEASOF>20241231190000[-5:EST]</INVPOS></POSSTOCK></INVPOSLIST></INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1></OFX>
OFX
env/bin/python -W ignore - <<'PY'
from datetime import date
from importlib.metadata import version

from ofxtools.Parser import OFXTree

tree = OFXTree()
tree.parse("statement.ofx")
(statement,) = tree.convert().statements
position = statement.positions[0]
print("ofxtools", version("ofxtools"), statement.dtasof, position.dtpriceasof, position.units, position.mktval)
assert statement.dtasof.date() == position.dtpriceasof.date() == date(2025, 1, 1)
assert statement.dtasof.utcoffset().total_seconds() == 0
PY
