/**
 * ISO 3166-1 alpha-2 officially assigned codes, as of 2026-01-01 (249 codes).
 * A table of our own, because a host's `Intl` knows other codes in every version.
 */
export const COUNTRY_CODES: ReadonlySet<string> = new Set(
  `
  AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ
  BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
  CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ
  DE DJ DK DM DO DZ
  EC EE EG EH ER ES ET
  FI FJ FK FM FO FR
  GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY
  HK HM HN HR HT HU
  ID IE IL IM IN IO IQ IR IS IT
  JE JM JO JP
  KE KG KH KI KM KN KP KR KW KY KZ
  LA LB LC LI LK LR LS LT LU LV LY
  MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ
  NA NC NE NF NG NI NL NO NP NR NU NZ
  OM
  PA PE PF PG PH PK PL PM PN PR PS PT PW PY
  QA
  RE RO RS RU RW
  SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ
  TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
  UA UG UM US UY UZ
  VA VC VE VG VI VN VU
  WF WS
  YE YT
  ZA ZM ZW
  `
    .trim()
    .split(/\s+/),
);

/**
 * First two characters of an ISIN that ISO 6166 allows beside the countries.
 * QS, QT and QW are left out: they mark numbers that one institution made up for its own books.
 */
const OTHER_ISIN_PREFIXES = [
  // Securities cleared by the international depositories.
  'XS',
  // Substitute numbering agencies, for countries that have none of their own.
  'XA',
  'XB',
  'XC',
  'XD',
  'XF',
  // Kosovo, which ISO 3166 has not assigned a code.
  'XK',
  // Digital tokens without an issuer.
  'XT',
  // Issues of the European Union.
  'EU',
  // Derivatives traded over the counter.
  'EZ',
  // Countries that ended in 2006 and 2010: a security keeps the number that it was given.
  'CS',
  'AN',
] as const;

export const ISIN_PREFIXES: ReadonlySet<string> = new Set([...COUNTRY_CODES, ...OTHER_ISIN_PREFIXES]);

/** ISO 9362 takes the country from ISO 3166-1, with XK for Kosovo as its registration authority does. */
export const BIC_COUNTRIES: ReadonlySet<string> = new Set([...COUNTRY_CODES, 'XK']);
