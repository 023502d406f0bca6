//! The `bit` table of scripts: operations on 32 bits.

use mlua::{Lua, Table, Value, Variadic};

pub(super) fn table(lua: &Lua) -> mlua::Result<Table> {
    let bit = lua.create_table()?;
    bit.raw_set("tobit", lua.create_function(|_, number: f64| Ok(signed(bits(number))))?)?;
    bit.raw_set("bnot", lua.create_function(|_, number: f64| Ok(signed(!bits(number))))?)?;
    bit.raw_set("bswap", one(lua, u32::swap_bytes)?)?;
    bit.raw_set("band", fold(lua, |a, b| a & b)?)?;
    bit.raw_set("bor", fold(lua, |a, b| a | b)?)?;
    bit.raw_set("bxor", fold(lua, |a, b| a ^ b)?)?;
    bit.raw_set("lshift", shift(lua, |number, by| number << by)?)?;
    bit.raw_set("rshift", shift(lua, |number, by| number >> by)?)?;
    bit.raw_set("arshift", shift(lua, |number, by| (number.cast_signed() >> by).cast_unsigned())?)?;
    bit.raw_set("rol", shift(lua, u32::rotate_left)?)?;
    bit.raw_set("ror", shift(lua, u32::rotate_right)?)?;
    bit.raw_set("tohex", lua.create_function(|_, (number, digits)| Ok(to_hex(number, digits)))?)?;
    Ok(bit)
}

fn one(lua: &Lua, operation: fn(u32) -> u32) -> mlua::Result<mlua::Function> {
    lua.create_function(move |_, number: f64| Ok(signed(operation(bits(number)))))
}

fn fold(lua: &Lua, operation: fn(u32, u32) -> u32) -> mlua::Result<mlua::Function> {
    lua.create_function(move |_, (first, rest): (f64, Variadic<f64>)| {
        Ok(signed(rest.iter().fold(bits(first), |folded, &next| operation(folded, bits(next)))))
    })
}

/// Only the lowest five bits of the distance count.
fn shift(lua: &Lua, operation: fn(u32, u32) -> u32) -> mlua::Result<mlua::Function> {
    lua.create_function(move |_, (number, by): (f64, f64)| {
        Ok(signed(operation(bits(number), bits(by) & 31)))
    })
}

/// The number's lowest 32 bits, a fraction rounded to the nearest even number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "that is the purpose")]
fn bits(number: f64) -> u32 {
    const MODULUS: f64 = 4_294_967_296.0;
    number.round_ties_even().rem_euclid(MODULUS) as u32
}

const fn signed(bits: u32) -> Value {
    Value::Number(bits.cast_signed() as f64)
}

/// As many digits as asked for, eight when not; a negative count asks for capitals.
fn to_hex(number: f64, digits: Option<f64>) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let digits = digits.unwrap_or(8.0) as i64;
    let wanted = usize::try_from(digits.unsigned_abs().min(8)).unwrap_or(8);
    let text = format!("{:08x}", bits(number));
    let text = &text[8 - wanted..];
    if digits < 0 { text.to_ascii_uppercase() } else { text.to_owned() }
}
