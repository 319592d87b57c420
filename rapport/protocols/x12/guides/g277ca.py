"""
005010X214, claim acknowledgement (277CA): loops, order, usage, codes.

Facts of the guide in our own notation (see `walker`). Acknowledgements are read for what they say of
claims; where payers are known to leave out what the guide requires, and nothing depends on it, the
table says situational.
"""

from __future__ import annotations

from .walker import parse

_TABLE = """
BHT R 1 01=0085 02=08 03 04 05 06=TH
@2000A R >1
  HL R 1 01 03=20 04=0,1
  @2100A R 1
    NM1 R 1 01=AY,PR 02=2 03 08=46,FI,PI,XV 09
  @2200A S 1
    TRN R 1 01=1 02
    DTP S 1 01=050 02=D8 03
    DTP S 1 01=009 02=D8 03
  @2000B R >1
    HL R 1 01 02 03=21 04=0,1
    @2100B R 1
      NM1 R 1 01=41 02=1,2 08=46 09
    @2200B R 1
      TRN R 1 01=2 02
      STC R >1 01 01-1 01-2 02
      QTY S 1 01=90 02
      QTY S 1 01=AA 02
      AMT S 1 01=YU 02
      AMT S 1 01=YY 02
    @2000C S >1
      HL R 1 01 02 03=19
      @2100C R 1
        NM1 R 1 01=85 02=1,2 08?FI,XX 09?
      @2200C S 1
        TRN R 1 01=1,2 02
        STC S >1 01 01-1 01-2
        REF S 3 01=0B,1G,G2,LU,TJ 02
        QTY S 1 01=QA 02
        QTY S 1 01=QC 02
        AMT S 1 01=YU 02
        AMT S 1 01=YY 02
      @2000D S >1
        HL R 1 01 02 03=PT
        @2100D R 1
          NM1 R 1 01=QC 02=1,2 03 08?II,MI 09?
        @2200D S >1
          TRN R 1 01=2 02
          STC R >1 01 01-1 01-2
          REF S 1 01=1K 02
          REF S 1 01=D9 02
          REF S 1 01=BLT 02
          DTP S 1 01=472 02=D8,RD8 03
          @2220D S >1
            SVC R 1 01 02
            STC S >1 01 01-1 01-2
            REF S 1 01=FJ 02
            REF S 1 01=XZ 02
            DTP S 1 01=472 02=D8,RD8 03
"""

GUIDE = parse("277CA", _TABLE)
"""The table of 005010X214."""
