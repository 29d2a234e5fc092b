"""Phones of the International Phonetic Alphabet, as espeak-ng prints them."""

# nearest shapes of lips and jaw; marks of length, stress and nasality do not move them
_VOWELS = {
    "a": "aa",
    "ɑ": "aa",
    "ɐ": "ah",
    "ɒ": "ao",
    "ʌ": "ah",
    "æ": "ae",
    "ə": "ax",
    "ɘ": "ax",
    "ɨ": "ih",
    "ᵻ": "ih",
    "ɪ": "ih",
    "i": "iy",
    "e": "ey",
    "ɛ": "eh",
    "ɜ": "er",
    "ɚ": "er",
    "ɔ": "ao",
    "o": "ow",
    "œ": "uh",
    "ø": "uh",
    "ɵ": "uh",
    "ʊ": "uh",
    "u": "uw",
    "y": "uw",
    "ʉ": "uw",
    "ʏ": "uh",
    "ɯ": "ih",
    # what espeak-ng 1.51 writes: a Greek letter in Danish, and the vowel of German "durch"
    "ε": "eh",
    "?": "uh",
}
_CONSONANTS = {
    "p": "p",
    "b": "b",
    "m": "m",
    "f": "f",
    "v": "v",
    "θ": "th",
    "ð": "dh",
    "t": "t",
    "d": "d",
    "n": "n",
    "s": "s",
    "z": "z",
    "l": "l",
    "ɫ": "l",
    "ɭ": "l",
    "ʎ": "l",
    "ʃ": "sh",
    "ʒ": "zh",
    "ɕ": "sh",
    "ʑ": "zh",
    "ʂ": "sh",
    "ʐ": "zh",
    "ɹ": "r",
    "r": "hh",
    "ɾ": "d",
    "ʁ": "hh",
    "ʀ": "hh",
    "j": "y",
    "ʝ": "y",
    "w": "w",
    "ʋ": "v",
    "k": "k",
    "ɡ": "g",
    "c": "t",
    "ɟ": "d",
    "β": "v",
    "ʲ": "y",
    "ŋ": "ng",
    "ɲ": "n",
    "h": "hh",
    "x": "hh",
    "ç": "hh",
    "χ": "hh",
    "ɣ": "hh",
    "ɦ": "hh",
}
_DIPHTHONGS = {
    "aɪ": "ay",
    "aʊ": "aw",
    "eɪ": "ey",
    "ɛɪ": "ey",
    "oʊ": "ow",
    "əʊ": "ow",
    "ʌʊ": "ow",
    "ɔɪ": "oy",
    "oɪ": "oy",
    "dʒ": "jh",
    "tʃ": "ch",
    "ɔʏ": "oy",
    "ɔø": "oy",
}
# alone, "e" and "o" are shorter than the diphthongs that English makes of them
_SHORT = {"ey": "eh", "ow": "ao"}


def phone_of_ipa(name: str) -> str:
    """The nearest of `phones.PHONES` to a phone of IPA.

    :raises ValueError: none is near
    """
    name = name.lstrip("ʔ")  # glottal stops move no lips
    if not name or name.startswith("("):  # a pause, or another language begins
        return "sil"
    if name[:2] in _DIPHTHONGS:
        return _DIPHTHONGS[name[:2]]
    found = _VOWELS.get(name[0]) or _CONSONANTS.get(name[0])
    if found is None:
        raise ValueError(f"no phone: {name}")
    return _SHORT.get(found, found) if len(name) == 1 else found
