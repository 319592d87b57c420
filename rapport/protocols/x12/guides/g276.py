"""
005010X212, claim status inquiry (276) and answer (277): loops, order, usage, codes.

Facts of the guide in our own notation (see `walker`). What stands under a subscriber and under a
dependant is written once.
"""

from __future__ import annotations

import textwrap

from .walker import parse

_PROCEDURES = "AD,ER,HC,HP,IV,N4,NU,WK"
_PROVIDER = "NM1 R 2 01=1P 02=1,2 08=FI,SV,XX 09"
_SUBSCRIBER = "NM1 R 1 01=IL 02=1,2 03 08=24,II,MI 09"
_DEPENDANT = "NM1 R 1 01=QC 02=1 03"

_ASKED = f"""
@2200{{loop}} S >1
  TRN R 1 01=1 02
  REF S 1 01=1K 02
  REF S 1 01=BLT 02
  REF S 1 01=LU 02
  REF S 1 01=6P 02
  REF S 1 01=EJ 02
  REF S 1 01=XZ 02
  REF S 1 01=D9 02
  AMT S 1 01=T3 02
  DTP S 1 01=472 02=D8,RD8 03
  @2210{{loop}} S >1
    SVC R 1 01 01-1={_PROCEDURES} 01-2 02 07
    REF S 1 01=FJ 02
    DTP R 1 01=472 02=D8,RD8 03
"""

_TOLD = f"""
@2200{{loop}} S >1
  TRN R 1 01=2 02
  STC R >1 01 01-1 01-2 02
  REF S 1 01=1K 02
  REF S 1 01=BLT 02
  REF S 1 01=EJ 02
  REF S 1 01=XZ 02
  REF S 1 01=VV 02
  REF S 1 01=D9 02
  DTP S 1 01=472 02=D8,RD8 03
  @2220{{loop}} S >1
    SVC R 1 01 01-1={_PROCEDURES} 01-2 02 03 07
    STC R >1 01 01-1 01-2 02
    REF S 1 01=FJ 02
    DTP R 1 01=472 02=D8,RD8 03
"""


def _claims(table: str, loop: str, depth: int) -> str:
    return textwrap.indent(table.format(loop=loop).strip(), " " * depth)


_TABLE_276 = f"""
BHT R 1 01=0010 02=13 03 04 05
@2000A R >1
  HL R 1 01 03=20 04=1
  @2100A R 1
    NM1 R 1 01=PR 02=2 03 08=PI,XV 09
  @2000B R >1
    HL R 1 01 02 03=21 04=1
    @2100B R 1
      NM1 R 1 01=41 02=1,2 08=46 09
    @2000C R >1
      HL R 1 01 02 03=19 04=1
      @2100C R 1
        {_PROVIDER}
      @2000D R >1
        HL R 1 01 02 03=22 04=0,1
        DMG S 1 01=D8 02 03?F,M,U
        @2100D R 1
          {_SUBSCRIBER}
{_claims(_ASKED, "D", 8)}
        @2000E S >1
          HL R 1 01 02 03=23
          DMG R 1 01=D8 02 03?F,M,U
          @2100E R 1
            {_DEPENDANT}
{_claims(_ASKED, "E", 10).replace("@2200E S", "@2200E R")}
"""

_TABLE_277 = f"""
BHT R 1 01=0010 02=08 03 04 05 06=DG
@2000A R >1
  HL R 1 01 03=20 04=1
  @2100A R 1
    NM1 R 1 01=PR 02=2 03 08=PI,XV 09
    PER S 1 01=IC 03=ED,EM,FX,TE 04 05?ED,EM,EX,FX,TE 07?ED,EM,EX,FX,TE
  @2000B R >1
    HL R 1 01 02 03=21 04=0,1
    @2100B R 1
      NM1 R 1 01=41 02=1,2 08=46 09
    @2200B S 1
      TRN R 1 01=2 02
      STC R >1 01 01-1 01-2 02
    @2000C S >1
      HL R 1 01 02 03=19 04=0,1
      @2100C R 1
        {_PROVIDER}
      @2200C S 1
        TRN R 1 01=1 02
        STC R >1 01 01-1 01-2 02
      @2000D S >1
        HL R 1 01 02 03=22 04=0,1
        @2100D R 1
          {_SUBSCRIBER}
{_claims(_TOLD, "D", 8)}
        @2000E S >1
          HL R 1 01 02 03=23
          @2100E R 1
            {_DEPENDANT}
{_claims(_TOLD, "E", 10).replace("@2200E S", "@2200E R")}
"""

INQUIRY = parse("276", _TABLE_276)
"""The table of the 276."""
ANSWER = parse("277", _TABLE_277)
"""The table of the 277."""
