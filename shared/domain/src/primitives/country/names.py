"""Generates names.tsv: country names in Italian, English, German, French and Spanish, and their ISO codes.

The names are from the npm packages of Unicode CLDR (licence Unicode-3.0):

    npm pack cldr-localenames-full@48.2.0 cldr-core@48.2.0    # unpack both into one directory
    python3 names.py DIRECTORY > names.tsv

Names are normalized like `key` in country.rs: lowercase letters and digits only. A name that two countries share is left
out.
"""

import json
import pathlib
import re
import sys
import unicodedata

LANGUAGES = ["it", "en", "de", "fr", "es"]
# Not countries, or without telephone numbers of their own.
LEFT_OUT = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AQ", "BV", "HM", "TF", "GS", "CP", "DG", "EA", "IC", "CQ", "UM", "PN"}
# Common names that CLDR lacks.
BESIDES = {
    "GB": "Great Britain|England|Scotland|Wales|Northern Ireland|Gran Bretagna|Inghilterra|Scozia|Galles|"
    "Irlanda del Nord|Großbritannien|Grande-Bretagne|Angleterre|Gran Bretaña|Inglaterra|U.K.",
    "NL": "Olanda|Holland|Hollande|Holanda|The Netherlands",
    "US": "Stati Uniti d'America|United States of America|Vereinigte Staaten von Amerika|États-Unis d'Amérique|"
    "Estados Unidos de América|U.S.A.",
    "CZ": "Repubblica Ceca|Czech Republic|Tschechische Republik|République tchèque|República Checa",
    "SK": "Repubblica Slovacca|Slovak Republic",
    "VA": "Vaticano|Santa Sede|Holy See",
    "SM": "Repubblica di San Marino",
    "MC": "Principato di Monaco",
    "IT": "Repubblica Italiana",
    "CH": "Confederazione Svizzera",
    "DE": "Repubblica Federale Tedesca|Bundesrepublik Deutschland",
    "AE": "Emirati Arabi",
    "MK": "Macedonia",
    "RU": "Federazione Russa|Russian Federation",
}


def read(root: pathlib.Path, package: str, file: str) -> dict:
    [path] = root.glob(f"{package}-*/package/{file}")
    return json.loads(path.read_text(encoding="utf-8"))


def without_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def keys(*names: str) -> set[str]:
    """Returns normalized names, with and without accents and umlauts."""
    umlauts = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
    names = {name.lower() for name in names}
    names |= {name.translate(umlauts) for name in names} | {name.replace("ß", "ss") for name in names}
    names |= {name.replace("&", spelt) for name in names for spelt in ["e", "and", "und", "et", "y"]}
    names |= {re.sub(r"\b(st|ste|s)\.\s", lambda word: {"s": "san"}.get(word[1], "saint") + " ", name) for name in names}
    names |= {without_accents(name) for name in names}
    return {"".join(filter(str.isalnum, unicodedata.normalize("NFC", name))) for name in names} - {""}


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    named: dict[str, set[str]] = {}
    in_brackets: dict[str, set[str]] = {}
    codes = set()

    def add(name: str, code: str) -> None:
        for key in keys(name, re.sub(r"\([^)]*\)", "", name)):
            named.setdefault(key, set()).add(code)
        # "Myanmar (Birmania)" adds a name. "Hongkong (China)" must not make China ambiguous.
        for key in keys(*re.findall(r"\((?![Rr]ep|[Rr]ép|partie)([^)]*)\)", name)):
            in_brackets.setdefault(key, set()).add(code)

    for language in LANGUAGES:
        file = read(root, "cldr-localenames-full", f"main/{language}/territories.json")
        for territory, name in file["main"][language]["localeDisplayNames"]["territories"].items():
            code = territory.split("-")[0]
            if re.fullmatch("[A-Z]{2}", code) and code not in LEFT_OUT:
                codes.add(code)
                add(name, code)
    mapped = read(root, "cldr-core", "supplemental/codeMappings.json")["supplemental"]["codeMappings"]
    for code in codes:
        if "_alpha3" in mapped[code]:
            add(mapped[code]["_alpha3"], code)
        for name in BESIDES.get(code, "").split("|"):
            add(name, code)
    named = in_brackets | named
    print("# Unicode CLDR 48.2.0, licence Unicode-3.0, https://www.unicode.org/license.txt; written by names.py")
    for key, found in sorted(named.items()):
        # Two-letter texts are read as ISO codes. The exception "uk" is in common use.
        if len(found) == 1 and (len(key) > 2 or key == "uk"):
            print(f"{key}\t{found.pop()}")
        elif len(found) > 1:
            print(f"{key}: {sorted(found)}", file=sys.stderr)


main()
