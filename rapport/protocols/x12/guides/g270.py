"""
005010X279A1, eligibility inquiry (270) and answer (271): loops, order, usage, codes.

Facts of the guide in our own notation (see `walker`). What stands under a subscriber and under a
dependant is written once. Where payers are known to leave out what the guide requires, and
nothing depends on it, the table says situational.
"""

from __future__ import annotations

import textwrap

from .walker import parse

_SOURCES = "2B,36,GP,P5,PR"
_SOURCE_IDS = "24,46,FI,NI,PI,XV,XX"
_RECEIVERS = "1P,2B,36,80,FA,GP,P5,PR"
_RECEIVER_IDS = "24,34,FI,PI,PP,SV,XV,XX"
_RECEIVER_REFS = "0B,1C,1D,1J,4A,CT,EL,EO,HPI,JD,N5,N7,Q4,SY,TJ"
_MEMBER_REFS = "18,1L,1W,3H,49,6P,CE,CT,EA,EJ,F6,GH,HJ,IF,IG,ML,MRC,N6,NQ,Q4,SY,Y4"
_ROLES = "AD,AS,AT,BI,CO,CV,H,HH,LA,OT,P1,P2,PC,PE,R,RF,SB,SK,SU"
_RELATIONS = "01,18,19,20,21,39,40,53,G8"
_INFORMATION = "1,2,3,4,5,6,7,8,A,B,C,CB,D,E,F,G,H,I,J,K,L,M,MC,N,O,P,Q,R,S,T,U,V,W,X,Y"
_COVERED = "CHD,DEP,ECH,EMP,ESP,FAM,IND,SPC,SPO"
_TIMES = "6,7,13,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36"
_QUANTITIES = "8H,99,CA,CE,D3,DB,DY,HS,LA,LE,M2,MN,P6,QA,S7,S8,VS,YY"
_PERIODS = (
    "096,102,152,291,307,318,340,341,342,343,346,347,356,357,382,435,442,458,472,539,540,636,771"
)
_BENEFIT_PERIODS = (
    "096,193,194,198,290,291,292,295,304,307,318,346,347,348,349,356,357,435,472,636,771"
)
_BENEFIT_REFS = "18,1L,1W,49,6P,9F,ALS,CLI,F6,FO,G1,IG,M7,N6,NQ"
_ENTITIES = "13,1I,1P,2B,36,73,FA,GP,GW,I3,IL,LR,OC,P3,P4,P5,PR,PRP,SEP,TTP,VER,VN,VY,X3,Y2"
_FOLLOW_UPS = "C,N,P,R,S,W,X,Y"
_REASONS_ABOVE = "04,15,41,42,43,44,45,46,47,48,50,51,79,80,97,T4"
_REASONS_PERSON = (
    "15,35,42,43,45,47,48,49,51,52,56,57,58,60,61,62,63,64,65,66,67,68,71,72,73,74,75,76,77,78"
)
_REASONS_BENEFIT = "15,33,52,53,54,55,56,57,60,61,62,63,69,70,98,AA,AE,AF,AG,AO,CI,E8,IA,MA"
_CONTACT = "01=IC 02? 03?ED,EM,FX,TE,UR,WP 04 05?ED,EM,EX,FX,TE,UR,WP 07?ED,EM,EX,FX,TE,UR,WP"

_ASKED = """
@2110{loop} S 99
  EQ R 1 01? 02-1?AD,CJ,HC,ID,IV,N4,ZZ 03?CHD,DEP,ECH,EMP,ESP,FAM,IND,SPC,SPO
  AMT S 1 01=R 02
  AMT S 1 01=PB 02
  III S 10 01? 02?
  REF S 1 01=9F,G1 02
  DTP S 1 01=291 02=D8,RD8 03
"""

_TABLE_270 = f"""
BHT R 1 01=0022 02=01,13 03? 04 05 06?RT
@2000A R >1
  HL R 1 01 03=20 04=1
  @2100A R 1
    NM1 R 1 01={_SOURCES} 02=1,2 08={_SOURCE_IDS} 09
  @2000B R >1
    HL R 1 01 02 03=21 04=1
    @2100B R 1
      NM1 R 1 01={_RECEIVERS} 02=1,2 08={_RECEIVER_IDS} 09
      REF S 9 01={_RECEIVER_REFS} 02
      N3 S 1 01
      N4 S 1 01
      PRV S 1 01={_ROLES}
    @2000C R >1
      HL R 1 01 02 03=22 04=0,1
      TRN S 2 01=1 02 03
      @2100C R 1
        NM1 R 1 01=IL 02=1,2 08?II,MI 09?
        REF S 9 01={_MEMBER_REFS} 02
        N3 S 1 01
        N4 S 1 01
        PRV S 1 01={_ROLES}
        DMG S 1 01?D8 02? 03?F,M,U
        INS S 1 01=Y 02=18
        HI S 1 01-1=ABF,ABK,BF,BK
        DTP S 2 01=102,291 02=D8,RD8 03
{textwrap.indent(_ASKED.format(loop="C").strip(), "        ")}
      @2000D S >1
        HL R 1 01 02 03=23 04=0
        TRN S 2 01=1 02 03
        @2100D R 1
          NM1 R 1 01=03 02=1
          REF S 9 01={_MEMBER_REFS} 02
          N3 S 1 01
          N4 S 1 01
          PRV S 1 01={_ROLES}
          DMG S 1 01?D8 02? 03?F,M,U
          INS S 1 01=N 02={_RELATIONS}
          HI S 1 01-1=ABF,ABK,BF,BK
          DTP S 2 01=102,291 02=D8,RD8 03
{textwrap.indent(_ASKED.format(loop="D").strip().replace(" S 99", " R 99"), "          ")}
"""

_MEMBER = """
@2100{loop} R 1
  NM1 R 1 01={role} 02=1,2 08?II,MI 09?
  REF S 9 01={refs} 02
  N3 S 1 01
  N4 S 1 01
  AAA S 9 01=N,Y 03={reasons} 04={follow_ups}
  PRV S 1 01={roles}
  DMG S 1 01?D8 02? 03?F,M,U
  INS S 1 01=N,Y 02={relations}
  HI S 1 01-1=ABF,ABK,BF,BK
  DTP S 9 01={periods} 02=D8,RD8 03
  MPI S 1
  @2110{loop} S >1
    EB R 1 01={information} 02?{covered} 06?{times} 09?{quantities} 11?N,U,Y 12?N,U,W,Y 13-1?AD,CJ,HC,ID,IV,N4,ZZ
    HSD S 9
    REF S 9 01={benefit_refs} 02
    DTP S 20 01={benefit_periods} 02=D8,RD8 03
    AAA S 9 01=N,Y 03={benefit_reasons} 04={follow_ups}
    MSG S 10 01
    @2115{loop} S 10
      III R 1
    LS S 1 01=2120
    @2120{loop} S 23
      NM1 R 1 01={entities} 02=1,2 08?24,34,46,FA,FI,II,MI,NI,PI,PP,SV,XV,XX 09?
      N3 S 1 01
      N4 S 1 01
      PER S 3 {contact}
      PRV S 1 01={roles}
    LE S 1 01=2120
"""


def _member(loop: str, role: str, depth: int) -> str:
    text = _MEMBER.format(
        loop=loop, role=role, refs=_MEMBER_REFS, reasons=_REASONS_PERSON, roles=_ROLES,
        follow_ups=_FOLLOW_UPS, relations=_RELATIONS, periods=_PERIODS, information=_INFORMATION,
        covered=_COVERED, times=_TIMES, quantities=_QUANTITIES, benefit_refs=_BENEFIT_REFS,
        benefit_periods=_BENEFIT_PERIODS, benefit_reasons=_REASONS_BENEFIT, entities=_ENTITIES,
        contact=_CONTACT,
    )  # fmt: skip
    return textwrap.indent(text.strip(), " " * depth)


_TABLE_271 = f"""
BHT R 1 01=0022 02=06,11 03? 04 05
@2000A R >1
  HL R 1 01 03=20 04=0,1
  AAA S 9 01=N,Y 03={_REASONS_ABOVE} 04={_FOLLOW_UPS}
  @2100A R 1
    NM1 R 1 01={_SOURCES} 02=1,2 08={_SOURCE_IDS} 09
    PER S 3 {_CONTACT}
    AAA S 9 01=N,Y 03={_REASONS_ABOVE} 04={_FOLLOW_UPS}
  @2000B S >1
    HL R 1 01 02 03=21 04=0,1
    @2100B R 1
      NM1 R 1 01={_RECEIVERS} 02=1,2 08={_RECEIVER_IDS} 09
      REF S 9 01={_RECEIVER_REFS} 02
      N3 S 1 01
      N4 S 1 01
      AAA S 9 01=N,Y 03={_REASONS_ABOVE} 04={_FOLLOW_UPS}
      PRV S 1 01={_ROLES}
    @2000C S >1
      HL R 1 01 02 03=22 04=0,1
      TRN S 3 01=1,2 02 03
{_member("C", "IL", 6)}
      @2000D S >1
        HL R 1 01 02 03=23 04=0,1
        TRN S 3 01=1,2 02 03
{_member("D", "03", 8)}
"""

INQUIRY = parse("270", _TABLE_270)
"""The table of the 270."""
ANSWER = parse("271", _TABLE_271)
"""The table of the 271."""
