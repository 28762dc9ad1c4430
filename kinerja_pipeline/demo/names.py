"""Made-up people's names: seeded combinations of given and family names usual where each region lies.

Here: word lists, words between blanks, and the draw. Not here: anything else about a person (demo/people).
"""

from __future__ import annotations

import random
from typing import Literal

Sex = Literal["1", "2"]

COMMON_MEN = "Agus Andi Budi Dedi Eko Hendra Irfan Joko Rahmat Rudi Sigit Slamet Taufik Wahyu Yusuf Bambang"
COMMON_WOMEN = "Ani Dewi Endang Fitri Indah Lestari Maya Nurul Ratna Rina Siti Sri Sulastri Wati Yuni Tri"

MEN: dict[str, str] = {
    "manokwari": "Yohanis Obed Hermus Markus Yulianus Soleman Demas Elieser Barnabas Frans Otis Yakob Melkias",
    "salor": "Yustinus Romanus Petrus Bonifasius Fransiskus Kasimirus Paskalis Leonardus Moses Alfons Titus",
    "mamuju": "Abdul Ahmad Hamzah Irwan Jalaluddin Syamsuddin Hajrul Muliadi Tasdir Baharuddin Damris",
    "pariaman": "Afrizal Zulfadli Nofriadi Syafrizal Yusrizal Mardison Ridwan Febrian Dasril Jasman Genius",
    "nanggalo": "Hendri Amrizal Zainal Masrul Yondri Fadlan Arif Rinaldi Syafruddin Erizal Novrianto",
}
WOMEN: dict[str, str] = {
    "manokwari": "Yosina Marthina Dorkas Selfina Adolfina Naomi Ruth Yuliana Regina Ester Mince Orpa",
    "salor": "Maria Yosefina Agustina Katarina Fransina Veronika Paskalina Elisabet Rosalina Kristina",
    "mamuju": "Hasnah Sutinah Nurhayati Rosdiana Hartati Asriani Masyita Suhartina Jumriah Hafsah",
    "pariaman": "Yulia Elvi Desriwati Fitriwati Nofrita Gusmaniar Yusnidar Rahmi Lisa Mimi",
    "nanggalo": "Efrida Zuraida Misnawati Nelvi Wirda Ermawati Suryani Refni Yeni Afrida",
}
FAMILIES: dict[str, str] = {
    "manokwari": (
        "Mandacan Dowansiba Saiba Wonggor Rumbiak Rumbekwan Mansim Meidodga Inden Ullo Indou Trirbo Kambu Wanma Krey "
        "Sayori Rumadas Korwa Mayor Warijo Simanjuntak Pattiasina Santoso"
    ),
    "salor": (
        "Gebze Mahuze Kaize Balagaize Samkakai Ndiken Yolmen Kwipalo Omba Kamijai Tambaip Basik-Basik Ndoen Wibowo "
        "Suparman Handoko Prasetyo Siregar Renwarin"
    ),
    "mamuju": (
        "Mas'ud Pababari Duka Masdar Wahid Saleh Malik Hatta Ma'mun Kanna Rappe Lopa Sulaiman Depu Puang Manggabarani "
        "Sirajuddin Tandi Paotonan"
    ),
    "pariaman": "Tanjung Chaniago Sikumbang Koto Piliang Guci Jambak Mandaliko Panyalai Bendang Dalimo Jalelo",
    "nanggalo": "Chaniago Koto Melayu Tanjung Guci Jambak Sikumbang Balaimansiang Piliang Simabur Payobada",
}
TITLES = ("", "", "", "", ", S.E.", ", S.Sos.", ", S.Kep.", ", S.Pd.", ", A.Md.", ", M.Si.")


def full_name(region: str, sex: Sex, rng: random.Random) -> str:
    """A name of one or two given names, a family name and sometimes a degree."""
    local, common = (MEN[region], COMMON_MEN) if sex == "1" else (WOMEN[region], COMMON_WOMEN)
    given = [rng.choice((local if rng.random() < 0.7 else common).split())]
    if rng.random() < 0.4:
        given.append(rng.choice(common.split()))
    family = rng.choice(FAMILIES[region].split())
    return f"{' '.join(dict.fromkeys(given))} {family}{rng.choice(TITLES)}"
