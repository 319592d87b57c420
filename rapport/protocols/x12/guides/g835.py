"""
005010X221A1, remittance advice (835): loops, order, usage, codes.

Facts of the guide in our own notation (see `walker`). Where payers are known to leave out what
the guide requires, and nothing depends on it, the table says situational.
"""

from __future__ import annotations

from .walker import parse

_FILING = "12,13,14,15,16,17,AM,CH,DS,HM,LM,MA,MB,MC,OF,TV,VA,WC,ZZ"
PLB_REASONS = frozenset(
    "50 51 72 90 AH AM AP B2 B3 BD BN C5 CR CS CT CV CW DM E3 FB FC GO HM IP IR IS J1 L3 L6 LE LS"
    " OA OB PI PL RA RE SL TL WO WU".split()
)
"""Reasons of provider adjustments the guide lists."""

_TABLE = f"""
BPR R 1 01=C,D,H,I,P,U,X 02 03=C,D 04=ACH,BOP,CHK,FWT,NON 05?CCP,CTX 16
TRN R 1 01=1 02 03
CUR S 1 01=PR 02
REF S 1 01=EV 02
REF S 1 01=F2 02
DTM S 1 01=405 02
@1000A R 1
  N1 R 1 01=PR 02
  N3 S 1 01
  N4 S 1 01
  REF S 4 01=2U,EO,HI,NF 02
  PER S 1 01=CX
  PER W >1 01=BL
  PER S 1 01=IC 03=UR 04
@1000B R 1
  N1 R 1 01=PE 02 03=FI,XV,XX 04
  N3 S 1 01
  N4 S 1 01
  REF S >1 01=0B,D3,PQ,TJ 02
  RDM S 1 01=BM,EM,FT,OL
@2000 S >1
  LX R 1 01
  TS3 S 1
  TS2 S 1
  @2100 R >1
    CLP R 1 01 02=1,2,3,4,19,20,21,22,23,25 03 04 06?{_FILING} 07
    CAS S 99 01=CO,OA,PI,PR,CR 02 03
    NM1 R 1 01=QC 02=1
    NM1 S 1 01=IL 02=1,2
    NM1 S 1 01=74 02=1,2
    NM1 S 1 01=82 02=1,2
    NM1 S 1 01=TT 02=2 03
    NM1 S 1 01=PR 02=2 03
    NM1 S 1 01=GB 02=1,2
    MIA S 1
    MOA S 1
    REF S 5 01=1L,1W,28,6P,9A,9C,BB,CE,EA,F8,G1,G3,IG,SY 02
    REF S 10 01=0B,1A,1B,1C,1D,1G,1H,1J,D3,G2,LU 02
    DTM S 2 01=232,233 02
    DTM S 1 01=036 02
    DTM S 1 01=050 02
    PER S 2 01=CX
    AMT S 13 01=AU,D8,DY,F5,I,NL,T,T2,ZK,ZL,ZM,ZN,ZO 02
    QTY S 14 01=CA,CD,LA,LE,NE,NR,OU,PS,VS,ZK,ZL,ZM,ZN,ZO 02
    @2110 S 999
      SVC R 1 01 02 03
      DTM S 2 01=150,151,472 02
      CAS S 99 01=CO,OA,PI,PR,CR 02 03
      REF S 8 01=1S,APC,BB,E9,G1,G3,LU,RB 02
      REF S 1 01=6R 02
      REF S 10 01=0B,1A,1B,1C,1D,1G,1H,1J,D3,G2,HPI,SY,TJ 02
      REF S 5 01=0K 02
      AMT S 9 01=B6,KH,T,T2,ZK,ZL,ZM,ZN,ZO 02
      QTY S 6 01=ZK,ZL,ZM,ZN,ZO 02
      LQ S 99 01=HE,RX 02
PLB S >1 01 02 03 04
"""

GUIDE = parse("835", _TABLE)
"""The table of 005010X221A1."""
