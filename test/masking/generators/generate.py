"""Structured values of Faker, and identifiers that python-stdnum takes for valid, amid text that Faker makes too.

Prints a JSON object a line: the detector that should name the value (or none), the value, and the text around it.
Usage: generate.py SEEDS
"""

import json
import random
import sys

from faker import Faker
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.ca import sin
from stdnum.de import idnr
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.kr import rrn


def drawn(module, digits):
    """The first random number of so many digits that the module takes for valid."""
    while True:
        number = ''.join(random.choices('0123456789', k=digits))
        if module.is_valid(number):
            return number


def valid(module, make):
    """The first that Faker makes and the module takes for valid: Faker leaves out some check digits."""
    while True:
        number = make()
        if module.is_valid(number):
            return number


def grouped(number, sizes, separator):
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return separator.join(parts)


# Detector, locale of Faker, what people call it, the name of its column, how it is made.
IDENTIFIERS = [
    ('us-ssn', 'en_US', 'SSN', 'ssn', lambda fake: fake.ssn()),
    ('ca-sin', 'en_CA', 'SIN', 'sin', lambda fake: valid(sin, fake.ssn)),
    ('ca-sin', 'en_CA', 'Social Insurance Number', 'social_insurance_number', lambda fake: valid(sin, fake.ssn).replace(' ', '-')),
    ('fr-nir', 'fr_FR', 'N° de sécurité sociale', 'numero_secu', lambda fake: fake.ssn()),
    ('es-dni', 'es_ES', 'DNI', 'dni', lambda fake: fake.nif()),
    ('es-dni', 'es_ES', 'NIE', 'nie', lambda fake: fake.nie()),
    ('nl-bsn', 'nl_NL', 'BSN', 'bsn', lambda fake: fake.ssn()),
    ('be-national-number', 'nl_BE', 'Rijksregisternummer', 'rijksregisternummer', lambda fake: valid(nn, fake.ssn)),
    ('be-national-number', 'nl_BE', 'RRN', 'rrn', lambda fake: nn.format(valid(nn, fake.ssn))),
    ('br-cpf', 'pt_BR', 'CPF', 'cpf', lambda fake: fake.cpf()),
    ('br-cpf', 'pt_BR', 'CPF', 'cpf_cliente', lambda fake: fake.ssn()),
    ('pl-pesel', 'pl_PL', 'PESEL', 'pesel', lambda fake: fake.pesel()),
    ('se-personnummer', 'sv_SE', 'Personnummer', 'personnummer', lambda fake: fake.ssn()),
    ('ch-ahv', 'de_CH', 'AHV-Nr.', 'ahv_nr', lambda fake: fake.ssn()),
    ('in-aadhaar', 'en_IN', 'Aadhaar', 'aadhaar_number', lambda fake: valid(aadhaar, fake.aadhaar_id)),
    ('in-aadhaar', 'en_IN', 'UIDAI', 'uidai_number', lambda fake: aadhaar.format(valid(aadhaar, fake.aadhaar_id))),
    ('no-fodselsnummer', 'no_NO', 'Fødselsnummer', 'fodselsnummer', lambda fake: fake.ssn()),
    ('cn-resident-id', 'zh_CN', '身份证号', 'id_card', lambda fake: fake.ssn()),
    ('kr-rrn', 'ko_KR', '주민등록번호', 'resident_no', lambda fake: valid(rrn, fake.ssn)),
    ('fi-hetu', 'fi_FI', 'Henkilötunnus', 'hetu', lambda fake: fake.ssn()),
    ('de-tax-id', 'de_DE', 'Steuer-ID', 'steuer_id', lambda fake: drawn(idnr, 11)),
    ('de-tax-id', 'de_DE', 'IdNr.', 'idnr', lambda fake: idnr.format(drawn(idnr, 11))),
    ('au-tfn', 'en_AU', 'TFN', 'tfn', lambda fake: drawn(tfn, 9)),
    ('au-tfn', 'en_AU', 'Tax file number', 'tax_file_number', lambda fake: tfn.format(drawn(tfn, 9))),
    ('uk-nhs-number', 'en_GB', 'NHS number', 'nhs_number', lambda fake: drawn(nhs, 10)),
    ('uk-nhs-number', 'en_GB', 'NHS no.', 'nhs', lambda fake: nhs.format(drawn(nhs, 10))),
]

OTHERS = [
    ('payment-card', 'en_US', 'Card', 'card_number', lambda fake: fake.credit_card_number('mastercard')),
    ('payment-card', 'de_DE', 'Kartennummer', 'pan', lambda fake: fake.credit_card_number('visa16')),
    ('payment-card', 'en_GB', 'Card', 'cc', lambda fake: grouped(fake.credit_card_number('amex'), (4, 6, 5), ' ')),
    ('iban', 'de_DE', 'IBAN', 'iban', lambda fake: fake.iban()),
    ('iban', 'fr_FR', 'IBAN', 'compte', lambda fake: grouped(fake.iban(), (4, 4, 4, 4, 4, 4, 3), ' ')),
    ('email', 'it_IT', 'E-mail', 'email', lambda fake: fake.email()),
    ('email', 'ja_JP', 'Mail', 'contact', lambda fake: fake.company_email()),
]

# Nothing of this is to be masked.
NOISE = [
    lambda fake: fake.uuid4(),
    lambda fake: fake.sha256(),
    lambda fake: fake.md5(),
    lambda fake: fake.ean13(),
    lambda fake: fake.ean8(),
    lambda fake: fake.isbn13(),
    lambda fake: fake.isbn10(),
    lambda fake: fake.iso8601(),
    lambda fake: str(fake.unix_time()),
    lambda fake: fake.ipv4(),
    lambda fake: fake.ipv6(),
    lambda fake: fake.mac_address(),
    lambda fake: fake.user_agent(),
    lambda fake: fake.uri(),
    lambda fake: fake.file_path(),
    lambda fake: fake.license_plate(),
    lambda fake: fake.postcode(),
    lambda fake: f'{fake.latitude()}, {fake.longitude()}',
    lambda fake: fake.bban(),
    lambda fake: fake.swift(),
    lambda fake: str(fake.random_int(1, 10**9)),
    lambda fake: str(fake.random_number(digits=15)),
    lambda fake: fake.pricetag(),
    lambda fake: fake.currency_code() + ' ' + str(fake.pydecimal(left_digits=9, right_digits=2)),
    lambda fake: fake.color(),
    lambda fake: fake.address(),
    lambda fake: fake.paragraph(),
    lambda fake: fake.vin(),
    lambda fake: fake.date(),
]


def texts(fake, word, column, value):
    """A note of somebody, a line of a form, a row of a table in JSON."""
    yield f'{fake.sentence()} {word}: {value}. {fake.sentence()}'
    yield f'{fake.name()}\n{fake.address()}\n{word} {value}\n{fake.date()}'
    yield json.dumps({'id': fake.random_int(), 'name': fake.name(), column: value, 'city': fake.city()}, ensure_ascii=False)


def main(seeds):
    fakes = {}
    for number in range(seeds):
        for detector, locale, word, column, make in IDENTIFIERS + OTHERS:
            fake = fakes.setdefault(locale, Faker(locale))
            fake.seed_instance(f'{number} {detector}')
            random.seed(f'{number} {detector}')
            value = make(fake)
            for text in texts(fake, word, column, value):
                print(json.dumps({'detector': detector, 'value': value, 'text': text}))
        for locale in ('en_US', 'de_DE', 'fr_FR', 'pl_PL'):
            fake = fakes.setdefault(locale, Faker(locale))
            fake.seed_instance(f'{number} noise')
            for make in NOISE:
                for text in texts(fake, fake.city(), 'value', make(fake)):
                    print(json.dumps({'detector': None, 'value': None, 'text': text}))


main(int(sys.argv[1]))
