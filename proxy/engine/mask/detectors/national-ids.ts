/** One row a country's identifier. */
import { isMonthAndDay, passesLuhn, passesMod1110, passesVerhoeff, weighted } from './check-digits.ts';
import type { BuiltinDetector } from './detector.ts';
import {
  passesCpf,
  passesDni,
  passesFodselsnummer,
  passesHetu,
  passesMod97,
  passesNir,
  passesResidentId,
} from './national-checks.ts';
import { identifier, NEVER } from './national-id.ts';

export const nationalIds: readonly BuiltinDetector[] = [
  identifier({
    name: 'uk-nhs-number',
    description: 'NHS number of England, Wales and the Isle of Man',
    source: 'https://www.datadictionary.nhs.uk/attributes/nhs_number.html',
    pattern: /(?<![0-9A-Za-z.-])[0-9]{3}([ -]?)[0-9]{3}\1[0-9]{4}(?![0-9A-Za-z]|[.-][0-9])/g,
    checks: (digits) => weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
    words: ['nhs'],
    example: '943 476 59##',
  }),
  identifier({
    name: 'ca-sin',
    description: 'Social insurance number of Canada',
    source: 'https://www.canada.ca/en/employment-social-development/services/sin.html',
    pattern: /(?<![0-9A-Za-z]|[0-9][ .-])[1-79][0-9]{2}([ -]?)[0-9]{3}\1[0-9]{3}(?![0-9A-Za-z]|[ .-][0-9])/g,
    checks: passesLuhn,
    words: ['sin', 'social insurance', 'socialinsurance', 'social_insurance'],
    // Numbers in groups of three are amounts in half of Europe.
    shape: /-/,
    example: '130-692-54#',
  }),
  identifier({
    name: 'fr-nir',
    parted: true,
    description: 'Social security number of France',
    source: 'https://www.legifrance.gouv.fr/loda/id/JORFTEXT000006063190',
    pattern:
      /(?<![0-9A-Za-z.])[1278] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|20|3[0-9]|4[0-2]|[5-9][0-9]) ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}(?![0-9A-Za-z])/g,
    checks: passesNir,
    words: [
      'sécurité sociale',
      'securite sociale',
      'securite_sociale',
      'secu',
      'insee',
      'nir',
      'nss',
      'vitale',
    ],
    // Fifteen digits in a row are many things; groups of these sizes, or the letter of Corsica, are this one.
    shape: /[ AB]/,
    example: '2 85 05 78 006 084 ##',
    also: '185052A006084##',
  }),
  identifier({
    name: 'es-dni',
    description: 'DNI and NIE of Spain',
    source:
      'https://www.interior.gob.es/opencms/es/servicios-al-ciudadano/tramites-y-gestiones/dni/calculo-del-digito-de-control-del-nif-nie/',
    begins: 'letter',
    pattern: /(?<![0-9A-Za-z.])(?:[0-9]{8}|[XYZ][ -]?[0-9]{7})[ -]?[A-HJ-NP-TV-Z](?![0-9A-Za-z])/g,
    checks: passesDni,
    words: ['dni', 'nif', 'nie'],
    example: '1234567#-Z',
  }),
  identifier({
    name: 'nl-bsn',
    description: 'Citizen service number (BSN) of the Netherlands',
    source: 'https://www.rvig.nl/bsn',
    pattern: /(?<![0-9A-Za-z.-])[0-9]{9}(?![0-9A-Za-z]|[.-][0-9])/g,
    checks: (digits) => weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && digits !== '000000000',
    words: ['bsn', 'burgerservice'],
    example: '1112223##',
  }),
  identifier({
    name: 'be-national-number',
    description: 'National register number of Belgium',
    source: 'https://www.ibz.rrn.fgov.be/en/national-register',
    pattern:
      /(?<![0-9A-Za-z.-])(?:[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}[.-][0-9]{2}|[0-9]{11})(?![0-9A-Za-z]|[.-][0-9])/g,
    checks: passesMod97,
    words: [
      ...['rijksregister', 'registre national', 'registre_national', 'registrenational'],
      ...['national register', 'national_register', 'nationalregister', 'insz', 'niss', 'rrn'],
    ],
    example: '85.07.30-033.##',
  }),
  identifier({
    name: 'br-cpf',
    description: 'CPF of Brazil',
    source: 'https://www.gov.br/receitafederal/pt-br/assuntos/meu-cpf',
    pattern:
      /(?<![0-9A-Za-z.-])(?:[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{11})(?![0-9A-Za-z]|[.-][0-9])/g,
    checks: passesCpf,
    words: ['cpf'],
    example: '529.982.247-##',
  }),
  identifier({
    name: 'pl-pesel',
    description: 'PESEL of Poland',
    source: 'https://www.gov.pl/web/gov/czym-jest-numer-pesel',
    pattern: /(?<![0-9A-Za-z.-])[0-9]{11}(?![0-9A-Za-z]|[.-][0-9])/g,
    checks: (digits) =>
      isMonthAndDay(String(Number(digits.slice(2, 4)) % 20), digits.slice(4, 6)) &&
      weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0,
    words: ['pesel'],
    example: '4405140135#',
  }),
  identifier({
    name: 'se-personnummer',
    description: 'Personal identity number of Sweden',
    source:
      'https://skatteverket.se/servicelankar/otherlanguages/englishengelska/individualsandemployees/livinginsweden/personalidentitynumberandcoordinationnumber',
    pattern: /(?<![0-9A-Za-z.-])(?:19|20)?[0-9]{6}[-+][0-9]{4}(?![0-9A-Za-z]|[.-][0-9])/g,
    checks: (digits) => {
      const short = digits.slice(-10);
      const day = String(Number(short.slice(4, 6)) % 60).padStart(2, '0');
      return isMonthAndDay(short.slice(2, 4), day) && passesLuhn(short);
    },
    example: '811228-987#',
  }),
  identifier({
    name: 'ch-ahv',
    description: 'AHV number of Switzerland',
    source: 'https://www.zas.admin.ch/zas/en/home/partenaires-et-institutions-/navs13.html',
    pattern: /(?<![0-9A-Za-z.-])756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}(?![0-9A-Za-z]|[.-][0-9])/g,
    checks: (digits) => weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0,
    example: '756.9217.0769.8#',
  }),
  identifier({
    name: 'in-aadhaar',
    description: 'Aadhaar number of India',
    source: 'https://uidai.gov.in/en/my-aadhaar/about-your-aadhaar.html',
    pattern: /(?<![0-9A-Za-z.-]|[0-9] )[2-9][0-9]{3}([ -]?)[0-9]{4}\1[0-9]{4}(?![0-9A-Za-z]|[ .-][0-9])/g,
    checks: passesVerhoeff,
    words: ['aadhaar', 'aadhar', 'uidai'],
    // One of ten numbers in three groups of four passes.
    shape: NEVER,
    example: '2345 6789 012#',
  }),
  identifier({
    name: 'de-tax-id',
    description: 'Tax identification number (IdNr) of Germany',
    source:
      'https://www.bzst.de/DE/Privatpersonen/SteuerlicheIdentifikationsnummer/steuerlicheidentifikationsnummer_node.html',
    pattern: /(?<![0-9A-Za-z.-]|[0-9] )[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}(?![0-9A-Za-z]|[ .-][0-9])/g,
    checks: passesMod1110,
    words: ['steuer', 'idnr', 'tax id', 'taxid', 'tax_id'],
    shape: NEVER,
    example: '86 095 742 71#',
  }),
  identifier({
    name: 'au-tfn',
    description: 'Tax file number of Australia',
    source: 'https://www.ato.gov.au/individuals-and-families/tax-file-number',
    pattern: /(?<![0-9A-Za-z.-]|[0-9] )[0-9]{3} ?[0-9]{3} ?[0-9]{3}(?![0-9A-Za-z]|[ .-][0-9])/g,
    checks: (digits) => weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 && digits !== '000000000',
    words: ['tfn', 'tax file', 'taxfile', 'tax_file'],
    shape: NEVER,
    example: '123 456 78#',
  }),
  identifier({
    name: 'no-fodselsnummer',
    description: 'National identity number of Norway',
    source:
      'https://www.skatteetaten.no/en/person/national-registry/birth-and-name-selection/children-born-in-norway/national-id-number/',
    pattern: /(?<![0-9A-Za-z.-]|[0-9] )[0-7][0-9]{5}[ -]?[0-9]{5}(?![0-9A-Za-z]|[ .-][0-9])/g,
    checks: passesFodselsnummer,
    words: ['fodsel', 'fødsel', 'fnr', 'personnummer'],
    example: '010190 1####',
  }),
  identifier({
    name: 'cn-resident-id',
    description: 'Resident identity number of China',
    source: 'GB 11643-1999, Citizen identification number',
    pattern: /(?<![0-9A-Za-z.-])[1-8][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx](?![0-9A-Za-z]|[.-][0-9])/g,
    checks: passesResidentId,
    example: '11010519491231002X',
  }),
  identifier({
    name: 'kr-rrn',
    description: 'Resident registration number of South Korea, as given out before October 2020',
    source: 'https://www.law.go.kr/LSW/eng/engLsSc.do?menuId=2&query=resident%20registration',
    pattern: /(?<![0-9A-Za-z.-])[0-9]{6}-[1-8][0-9]{6}(?![0-9A-Za-z]|[.-][0-9])/g,
    checks: (digits) =>
      isMonthAndDay(digits.slice(2, 4), digits.slice(4, 6)) &&
      (11 - (weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10 === Number(digits[12]),
    example: '800101-123456#',
  }),
  identifier({
    name: 'fi-hetu',
    parted: true,
    description: 'Personal identity code of Finland',
    source: 'https://dvv.fi/en/personal-identity-code',
    pattern:
      /(?<![0-9A-Za-z.-])[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y](?![0-9A-Za-z]|[.-][0-9])/g,
    checks: passesHetu,
    example: '131052-308T',
    also: '010203A002#',
  }),
];
