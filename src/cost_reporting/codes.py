"""Codes that a client record may name: locales that CLDR knows, and currencies that are in use.

The reports are written with Babel, which is in the layer of Render PDF only; what a record may say is judged in every
function and by commands. So the two lists stand here, and ``tests/contract/test_codes.py`` holds them against Babel:
each locale here is one that a report can be written for, and CLDR has none of a record's form that is not here.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

_LOCALES: Final = """
aa DJ ER ET; ab GE; af NA ZA; agq CM; ak GH; am ET; an ES; ann NG; apc SY; ar 001 AE BH DJ DZ EG EH ER IL IQ JO KM KW
LB LY MA MR OM PS QA SA SD SO SS SY TD TN YE; arn CL; as IN; asa TZ; ast ES; az AZ IQ IR; az_Arab IQ IR TR; az_Cyrl
AZ; az_Latn AZ; ba RU; bal PK; bal_Arab PK; bal_Latn PK; bas CM; be BY; bem ZM; bew ID; bez TZ; bg BG; bgc IN; bgn AE
AF IR OM PK; bho IN; blo BJ; blt VN; bm ML; bm_Nkoo ML; bn BD IN; bo CN IN; br FR; brx IN; bs BA; bs_Cyrl BA; bs_Latn
BA; bss CM; byn ER; ca AD ES FR IT; cad US; cch NG; ccp BD IN; ce RU; ceb PH; cgg UG; cho US; chr US; cic US; ckb IQ
IR; co FR; cop EG; cs CZ; csw CA; cu RU; cv RU; cy GB; da DK GL; dav KE; de AT BE CH DE IT LI LU; dje NE; doi IN; dsb
DE; dua CM; dv MV; dyo SN; dz BT; ebu KE; ee GH TG; el CY GR; en 001 150 AE AG AI AS AT AU BB BE BI BM BS BW BZ CA CC
CH CK CM CX CY CZ DE DG DK DM ER ES FI FJ FK FM FR GB GD GG GH GI GM GS GU GY HK HU ID IE IL IM IN IO IT JE JM KE KI
KN KY LC LR LS MG MH MO MP MS MT MU MV MW MY NA NF NG NL NO NR NU NZ PG PH PK PL PN PR PT PW RO RW SB SC SD SE SG SH
SI SK SL SS SX SZ TC TK TO TT TV TZ UG UM US VC VG VI VU WS ZA ZM ZW; en_Dsrt US; en_Shaw GB; eo 001; es 419 AR BO BR
BZ CL CO CR CU DO EA EC ES GQ GT HN IC MX NI PA PE PH PR PY SV US UY VE; et EE; eu ES; ewo CM; fa AF IR; ff BF CM GH
GM GN GW LR MR NE NG SL SN; ff_Adlm BF CM GH GM GN GW LR MR NE NG SL SN; ff_Latn BF CM GH GM GN GW LR MR NE NG SL SN;
fi FI; fil PH; fo DK FO; fr BE BF BI BJ BL CA CD CF CG CH CI CM DJ DZ FR GA GF GN GP GQ HT KM LU MA MC MF MG ML MQ MR
MU NC NE PF PM RE RW SC SN SY TD TG TN VU WF YT; frr DE; fur IT; fy NL; ga GB IE; gaa GH; gd GB; gez ER ET; gl ES; gn
PY; gsw CH FR LI; gu IN; guz KE; gv IM; ha GH NE NG SD; ha_Arab NG SD; haw US; he IL; hi IN; hi_Latn IN; hnj US;
hnj_Hmnp US; hr BA HR; hsb DE; ht HT; hu HU; hy AM; ia 001; id ID; ie EE; ig NG; ii CN; io 001; is IS; it CH IT SM VA;
iu CA; iu_Latn CA; ja JP; jbo 001; jgo CM; jmc TZ; jv ID; ka GE; kaa UZ; kaa_Cyrl UZ; kaa_Latn UZ; kab DZ; kaj NG; kam
KE; kcg NG; kde TZ; kea CV; ken CM; kgp BR; khq ML; ki KE; kk CN KZ; kk_Arab CN; kk_Cyrl KZ; kkj CM; kl GL; kln KE; km
KH; kn IN; ko CN KP KR; kok IN; kok_Deva IN; kok_Latn IN; kpe GN LR; ks IN; ks_Arab IN; ks_Deva IN; ksb TZ; ksf CM;
ksh DE; ku TR; kw GB; kxv IN; kxv_Deva IN; kxv_Latn IN; kxv_Orya IN; kxv_Telu IN; ky KG; la VA; lag TZ; lb LU; lg UG;
lij IT; lkt US; lld IT; lmo IT; ln AO CD CF CG; lo LA; lrc IQ IR; lt LT; ltg LV; lu CD; luo KE; luy KE; lv LV; mai IN;
mas KE TZ; mdf RU; mer KE; mfe MU; mg MG; mgh MZ; mgo CM; mhn IT; mi NZ; mic CA; mk MK; ml IN; mn CN MN; mn_Mong CN
MN; mni IN; mni_Beng IN; mni_Mtei IN; moh CA; mr IN; ms BN ID MY SG; ms_Arab BN MY; mt MT; mua CM; mus US; my MM; myv
RU; mzn IR; naq NA; nb NO SJ; nd ZW; nds DE NL; ne IN NP; nl AW BE BQ CW NL SR SX; nmg CM; nn NO; nnh CM; no; nqo GN;
nr ZA; nso ZA; nus SS; nv US; ny MW; nyn UG; oc ES FR; om ET KE; or IN; os GE RU; osa US; pa IN PK; pa_Arab PK;
pa_Guru IN; pap AW CW; pcm NG; pis SB; pl PL; prg PL; ps AF PK; pt AO BR CH CV GQ GW LU MO MZ PT ST TL; qu BO EC PE;
quc GT; raj IN; rhg BD MM; rhg_Rohg BD MM; rif MA; rm CH; rn BI; ro MD RO; rof TZ; ru BY KG KZ MD RU UA; rw RW; rwk
TZ; sa IN; sah RU; saq KE; sat IN; sat_Deva IN; sat_Olck IN; sbp TZ; sc IT; scn IT; sd IN PK; sd_Arab PK; sd_Deva IN;
sdh IQ IR; se FI NO SE; seh MZ; ses ML; sg CF; shi MA; shi_Latn MA; shi_Tfng MA; shn MM TH; si LK; sid ET; sk SK; skr
PK; sl SI; sma NO SE; smj NO SE; smn FI; sms FI; sn ZW; so DJ ET KE SO; sq AL MK XK; sr BA ME RS XK; sr_Cyrl BA ME RS
XK; sr_Latn BA ME RS XK; ss SZ ZA; ssy ER; st LS ZA; su ID; su_Latn ID; sv AX FI SE; sw CD KE TZ UG; syr IQ SY; szl
PL; ta IN LK MY SG; te IN; teo KE UG; tg TJ; th TH; ti ER ET; tig ER; tk TM; tn BW ZA; to TO; tok 001; tpi PG; tr CY
TR; trv TW; trw PK; ts ZA; tt RU; twq NE; tyv RU; tzm MA; ug CN; uk UA; ur IN PK; uz AF UZ; uz_Arab AF; uz_Cyrl UZ;
uz_Latn UZ; vai LR; vai_Latn LR; vai_Vaii LR; ve ZA; vec IT; vi VN; vmw MZ; vo 001; vun TZ; wa BE; wae CH; wal ET; wbp
AU; wo SN; xh ZA; xnr IN; xog UG; yav CM; yi UA; yo BJ NG; yrl BR CO VE; yue CN HK MO; yue_Hans CN; yue_Hant CN HK MO;
za CN; zgh MA; zh CN HK MO MY SG TW; zh_Hans CN HK MO MY SG; zh_Hant HK MO MY TW; zh_Latn CN; zu ZA
"""
"""CLDR's locales as Babel 2.18 has them, without variants (``ca_ES_VALENCIA``): a language, perhaps with its script,
then the territories with which it is known. Among them are those whose script Babel adds, like zh_TW (zh_Hant_TW).
"""

_CURRENCIES: Final = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG
SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF
XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
"""Legal tender of some territory with no last day, by CLDR's territoryCurrencies (supplemental data, as Babel 2.18 has
it), less BGN: Bulgaria has had the euro since 1 January 2026, which that version of CLDR did not know yet.
"""

_FAMILIAR: Final = ("EUR", "USD", "GBP", "JPY", "CHF", "CAD", "AUD", "CNY", "SEK", "NOK", "DKK", "PLN")
"""The most traded ones first, to be suggested before the others."""
_NEAR: Final = 0.5
"""How much alike a code and a suggestion are at least, by difflib's ratio."""


def _all(listed: str) -> frozenset[str]:
    found = set[str]()
    for each in listed.split(";"):
        language, *territories = each.split()
        found |= {language, *(f"{language}_{territory}" for territory in territories)}
    return frozenset(found)


LOCALES: Final = _all(_LOCALES)
CURRENCIES: Final = frozenset(_CURRENCIES.split())


def near_locales(locale: str) -> tuple[str, ...]:
    """Up to three known locales for one that is not: of its territory first, then of its language."""
    language, _, territory = locale.rpartition("_") if "_" in locale else (locale, "", "")
    language = language.partition("_")[0]

    def rank(known: str) -> tuple[bool, bool, float, str]:
        same = bool(territory) and known.endswith(f"_{territory}")
        return (not same, known[0] != locale[0], -_ratio(locale, known), known)

    about = {each for each in LOCALES if each.partition("_")[0] == language}
    about |= {each for each in LOCALES if territory and each.endswith(f"_{territory}")}
    return tuple(sorted(_alike(locale, about or LOCALES), key=rank)[:3])


def near_currencies(currency: str) -> tuple[str, ...]:
    """Up to three currencies in use for a code that is none."""

    def rank(known: str) -> tuple[float, int, str]:
        familiar = _FAMILIAR.index(known) if known in _FAMILIAR else len(_FAMILIAR)
        return (-_ratio(currency, known), familiar, known)

    return tuple(sorted(_alike(currency, CURRENCIES), key=rank)[:3])


def _alike(code: str, among: Iterable[str]) -> list[str]:
    return [each for each in among if _ratio(code, each) >= _NEAR]


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
