use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The codes of ISO 4217 for currencies in which people are paid: without the codes for metals,
/// funds and tests.
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD \
                     CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP \
                     GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD \
                     KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN \
                     NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP \
                     SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES \
                     VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// The currency of all amounts, as a code of ISO 4217. It is only shown next to amounts and does
/// not affect how they are computed: amounts are rounded to hundredths in every currency.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// The error for a text that is not the code of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the code of a currency of ISO 4217, such as EUR or USD")]
pub struct UnknownCurrency;

impl Currency {
    /// The code, such as `EUR`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Reads the code in upper or lower case.
impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let code = text.trim().to_ascii_uppercase();
        let known = CODES.split_ascii_whitespace().find(|known| *known == code);
        known.and_then(|known| known.as_bytes().try_into().ok()).map(Self).ok_or(UnknownCurrency)
    }
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;

    fn try_from(text: String) -> Result<Self, UnknownCurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_known_by_its_code_in_any_case_and_written_in_capitals() {
        let codes: Vec<&str> = CODES.split_ascii_whitespace().collect();
        assert!(codes.is_sorted() && codes.iter().all(|code| code.len() == 3));
        for code in codes {
            assert_eq!(code.parse::<Currency>().map(|known| known.to_string()), Ok(code.to_owned()));
        }
        assert_eq!(" eur ".parse::<Currency>(), "EUR".parse());
        assert_eq!(serde_json::to_string(&"chf".parse::<Currency>().ok()).ok().as_deref(), Some("\"CHF\""));
    }

    #[test]
    fn what_is_no_currency_is_refused() {
        for text in ["", "E", "EURO", "€", "XXX", "XTS", "DEM", "EUR USD", "AED AFN"] {
            assert_eq!(text.parse::<Currency>(), Err(UnknownCurrency), "{text}");
        }
        assert!(serde_json::from_str::<Currency>("\"euros\"").is_err());
    }
}
