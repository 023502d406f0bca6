//! Numbers as Redis reads and writes them.

use bytes::Bytes;

use crate::reply::Refusal;

/// Reads a decimal integer as strictly as Redis' `string2ll`: no sign but a minus, no leading zero,
/// no space.
pub(crate) fn parse_integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        b"0" => text.len() == 1,
        [b'1'..=b'9', ..] => digits.len() <= 19 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// As [`parse_integer`], with Redis' usual refusal.
pub(crate) fn integer(text: &[u8]) -> Result<i64, Refusal> {
    parse_integer(text).ok_or(Refusal::NOT_AN_INTEGER)
}

/// Reads a number with a fraction as Redis' `string2d` does: what C reads, but neither space nor NaN
/// nor what does not fit. C's hexadecimal form is not read.
pub(crate) fn parse_double(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let number: f64 = text.parse().ok()?;
    let named = text.trim_start_matches(['+', '-']).starts_with(['i', 'I']);
    let mantissa = text.split(['e', 'E']).next().unwrap_or("");
    let vanished = number == 0.0 && mantissa.contains(|digit| matches!(digit, '1'..='9'));
    let overflowed = number.is_infinite() && !named;
    (!number.is_nan() && !vanished && !overflowed).then_some(number)
}

/// As [`parse_double`], with the wider range of C's `long double`: what does not fit here is the
/// nearest number that does, but never 0.
pub(crate) fn parse_wide_double(text: &[u8]) -> Option<f64> {
    if let Some(number) = parse_double(text) {
        return Some(number);
    }
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    match number {
        number if number.is_nan() => None,
        0.0 => Some(f64::MIN_POSITIVE.copysign(number)),
        number => Some(number),
    }
}

/// The decimal digits of `number`, as a value to store or to send.
pub(crate) fn decimal(number: i64) -> Bytes {
    Bytes::copy_from_slice(itoa::Buffer::new().format(number).as_bytes())
}

/// C's `%.17g`, by which Redis turns a Lua number into an argument.
pub(crate) fn general_17(number: f64) -> String {
    general(number, 17)
}

/// C's `%.{digits}g`.
pub(crate) fn general(number: f64, digits: u8) -> String {
    if number.is_nan() {
        return (if number.is_sign_negative() { "-nan" } else { "nan" }).to_owned();
    }
    if number.is_infinite() {
        return (if number > 0.0 { "inf" } else { "-inf" }).to_owned();
    }
    let decimals = usize::from(digits) - 1;
    let scientific = format!("{number:.decimals$e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..i32::from(digits)).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs());
    }
    let decimals = usize::try_from(i32::from(digits) - 1 - exponent).unwrap_or(0);
    without_zeros(&format!("{number:.decimals$}")).to_owned()
}

fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_strictly_as_redis_does() {
        for (text, number) in [("0", 0), ("-1", -1), ("9223372036854775807", i64::MAX)] {
            assert_eq!(parse_integer(text.as_bytes()), Some(number));
        }
        assert_eq!(parse_integer(b"-9223372036854775808"), Some(i64::MIN));
        for text in ["", "-", "+1", "01", "-0", " 1", "1 ", "1.5", "9223372036854775808", "0x1"] {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn fractions_are_read_as_redis_does() {
        for (text, number) in
            [("1", 1.0), ("+1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1_000.0)]
        {
            assert_eq!(parse_double(text.as_bytes()), Some(number), "{text}");
        }
        assert_eq!(parse_double(b"-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_double(b"Infinity"), Some(f64::INFINITY));
        for text in ["", " 1", "1 ", "nan", "x", "1e999", "-1e999", "1e-999", "0x10", "1_0"] {
            assert_eq!(parse_double(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn lua_numbers_become_text_as_in_c() {
        for (number, text) in [
            (3.0, "3"),
            (3.5, "3.5"),
            (0.1, "0.10000000000000001"),
            (1e20, "1e+20"),
            (-0.0, "-0"),
            (1e-7, "9.9999999999999995e-08"),
            (12_345_678_901_234_567.0, "12345678901234568"),
        ] {
            assert_eq!(general_17(number), text);
        }
    }
}
