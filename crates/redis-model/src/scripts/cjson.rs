//! The `cjson` table of scripts: JSON as the library of that name writes and reads it, with its
//! default settings. Its settings cannot be changed here, since they would outlive the script.

mod decode;
mod encode;

use mlua::{Lua, Table, Value};

use super::failure::Complaint;

pub(super) fn table(lua: &Lua) -> mlua::Result<Table> {
    let cjson = lua.create_table()?;
    let encode = lua.create_function(|lua, value: Value| {
        let text = encode::document(&value).map_err(|error| Complaint::error(lua, &error))?;
        lua.create_string(text)
    })?;
    let decode = lua.create_function(|lua, argument: Value| {
        let kind = argument.type_name();
        let Some(text) = lua.coerce_string(argument)? else {
            return Err(Complaint::not_a_string(lua, "decode", kind));
        };
        let text = text.as_bytes().to_vec();
        decode::Decoder::new(lua, &text).document()
    })?;
    cjson.raw_set("encode", encode)?;
    cjson.raw_set("decode", decode)?;
    cjson.raw_set("null", Value::NULL)?;
    cjson.raw_set("_NAME", "cjson")?;
    cjson.raw_set("_VERSION", "2.1.0")?;
    Ok(cjson)
}
