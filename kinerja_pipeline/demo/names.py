"""Made-up people's names: seeded combinations of given and family names usual where each region lies.

Here: word lists and the draw. Not here: anything else about a person (demo/people).
"""

from __future__ import annotations

import random
from typing import Literal

Sex = Literal["1", "2"]

COMMON_MEN = "Agus Andi Budi Dedi Eko Hendra Irfan Joko Rahmat Rudi Sigit Slamet Taufik Wahyu Yusuf Bambang".split()
COMMON_WOMEN = "Ani Dewi Endang Fitri Indah Lestari Maya Nurul Ratna Rina Siti Sri Sulastri Wati Yuni Tri".split()

MEN: dict[str, list[str]] = {
    "manokwari": "Yohanis Obed Hermus Markus Yulianus Soleman Demas Elieser Barnabas Frans Otis Yakob Melkias".split(),
    "salor": "Yustinus Romanus Petrus Bonifasius Fransiskus Kasimirus Paskalis Leonardus Moses Alfons Titus".split(),
    "mamuju": "Abdul Ahmad Hamzah Irwan Jalaluddin Syamsuddin Hajrul Muliadi Tasdir Baharuddin Damris".split(),
    "pariaman": "Afrizal Zulfadli Nofriadi Syafrizal Yusrizal Mardison Ridwan Febrian Dasril Jasman Genius".split(),
    "nanggalo": "Hendri Amrizal Zainal Masrul Yondri Fadlan Arif Rinaldi Syafruddin Erizal Novrianto".split(),
}
WOMEN: dict[str, list[str]] = {
    "manokwari": "Yosina Marthina Dorkas Selfina Adolfina Naomi Ruth Yuliana Regina Ester Mince Orpa".split(),
    "salor": "Maria Yosefina Agustina Katarina Fransina Veronika Paskalina Elisabet Rosalina Kristina".split(),
    "mamuju": "Hasnah Sutinah Nurhayati Rosdiana Hartati Asriani Masyita Suhartina Jumriah Hafsah".split(),
    "pariaman": "Yulia Elvi Desriwati Fitriwati Nofrita Gusmaniar Yusnidar Rahmi Lisa Mimi".split(),
    "nanggalo": "Efrida Zuraida Misnawati Nelvi Wirda Ermawati Suryani Refni Yeni Afrida".split(),
}
FAMILIES: dict[str, list[str]] = {
    "manokwari": (
        "Mandacan Dowansiba Saiba Wonggor Rumbiak Rumbekwan Mansim Meidodga Inden Ullo Indou Trirbo Kambu Wanma Krey "
        "Sayori Rumadas Korwa Mayor Warijo Simanjuntak Pattiasina Santoso"
    ).split(),
    "salor": (
        "Gebze Mahuze Kaize Balagaize Samkakai Ndiken Yolmen Kwipalo Omba Kamijai Tambaip Basik-Basik Ndoen Wibowo "
        "Suparman Handoko Prasetyo Siregar Renwarin"
    ).split(),
    "mamuju": (
        "Mas'ud Pababari Duka Masdar Wahid Saleh Malik Hatta Ma'mun Kanna Rappe Lopa Sulaiman Depu Puang Manggabarani "
        "Sirajuddin Tandi Paotonan"
    ).split(),
    "pariaman": "Tanjung Chaniago Sikumbang Koto Piliang Guci Jambak Mandaliko Panyalai Bendang Dalimo Jalelo".split(),
    "nanggalo": "Chaniago Koto Melayu Tanjung Guci Jambak Sikumbang Balaimansiang Piliang Simabur Payobada".split(),
}
TITLES = ("", "", "", "", ", S.E.", ", S.Sos.", ", S.Kep.", ", S.Pd.", ", A.Md.", ", M.Si.")


def full_name(region: str, sex: Sex, rng: random.Random) -> str:
    """A name of one or two given names, a family name and sometimes a degree."""
    local, common = (MEN[region], COMMON_MEN) if sex == "1" else (WOMEN[region], COMMON_WOMEN)
    first = rng.choice(local if rng.random() < 0.7 else common)
    second = f" {rng.choice(common)}" if rng.random() < 0.4 else ""
    return f"{first}{second if second.strip() != first else ''} {rng.choice(FAMILIES[region])}{rng.choice(TITLES)}"
