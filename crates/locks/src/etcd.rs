//! A small client of etcd's JSON gateway: what a lock asks for, and who looks after one.
//!
//! The gateway is etcd's own, on the port of its clients: a request is a POST of one JSON object, keys and values in
//! base64 and 64-bit numbers as text. <https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/>
//!
//! A connection is polled within the request that uses it: no task of its own reads it, so that nothing goes on while
//! its holder stands still.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lockproof_env::Env;
use serde_json::{Value, json};

use crate::coordinator::Dial;
use crate::{LockError, Result};

mod gateway;

use gateway::Gateway;

/// How long whoever opens a connection waits for it. The limit of a request is about validity, which is not yet at
/// stake.
const OPEN_LIMIT: Duration = Duration::from_secs(2);

/// One caller's way to etcd. A connection is dialled when it is first needed and again after it broke or was left in the
/// middle of a request; no request is ever sent twice.
pub struct EtcdClient {
    dial: Dial,
    env: Env,
    /// How long to wait for a connection, and then for each answer.
    limit: Duration,
    gateway: Option<Gateway>,
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdValue {
    /// The value, where it is text.
    pub value: String,
    /// The etcd lease that it ends with; 0 for none.
    pub lease: i64,
}

impl EtcdClient {
    /// A client that dials when it is first asked.
    #[must_use]
    pub const fn new(dial: Dial, env: Env, limit: Duration) -> Self {
        Self { dial, env, limit, gateway: None }
    }

    /// Makes sure that there is a connection and that a server answers, before anything depends on its being quick.
    /// Gives the server's version.
    ///
    /// # Errors
    /// Nobody answers; definite, since nothing was asked for.
    pub async fn open(&mut self) -> Result<String> {
        let answer = self.call_within(OPEN_LIMIT, "maintenance/status", &json!({})).await;
        let answer =
            answer.map_err(|error| LockError::definite("could not reach etcd").because(error))?;
        let version = answer.as_ref().and_then(|status| status["version"].as_str());
        Ok(version.unwrap_or("unknown").to_owned())
    }

    /// The name of the one member, as it was started.
    ///
    /// # Errors
    /// No answer.
    pub async fn member(&mut self) -> Result<String> {
        let answer = self.call("cluster/member/list", &json!({})).await?.unwrap_or_default();
        Ok(answer["members"][0]["name"].as_str().unwrap_or_default().to_owned())
    }

    /// Makes an etcd lease of that number, which ends `ttl_secs` after it was last kept alive. The server may keep it
    /// longer, never shorter.
    ///
    /// # Errors
    /// No answer; or, definite, the number is taken.
    pub async fn grant(&mut self, lease: i64, ttl_secs: u64) -> Result<()> {
        let request = json!({ "ID": lease.to_string(), "TTL": ttl_secs.to_string() });
        self.call("lease/grant", &request).await.map(drop)
    }

    /// Sets `key` to `value` for as long as `lease` lasts, if there is no such key; the revision of that, unless there
    /// is.
    ///
    /// # Errors
    /// No answer; or, definite, the lease has ended.
    pub async fn put_if_absent(
        &mut self,
        key: &str,
        value: &str,
        lease: i64,
    ) -> Result<Option<u64>> {
        let key = base64(key);
        let absent = json!({
            "key": key, "target": "CREATE", "result": "EQUAL", "create_revision": "0",
        });
        let put = json!({ "key": key, "value": base64(value), "lease": lease.to_string() });
        let request = json!({ "compare": [absent], "success": [{ "request_put": put }] });
        let Some(answer) = self.call("kv/txn", &request).await? else {
            return Err(LockError::definite("the etcd lease ended before its key was written"));
        };
        if answer["succeeded"] != true {
            return Ok(None);
        }
        let revision = number(&answer["header"]["revision"]);
        let revision = revision.ok_or_else(|| LockError::indefinite("etcd gave no revision"))?;
        Ok(Some(revision))
    }

    /// Makes `lease` last for its whole TTL again, and gives that; none when it has ended.
    ///
    /// # Errors
    /// No answer.
    pub async fn keep_alive(&mut self, lease: i64) -> Result<Option<Duration>> {
        let answer = self.call("lease/keepalive", &json!({ "ID": lease.to_string() })).await?;
        // A lease that is gone has no TTL left, which the gateway says by leaving it out.
        let seconds = answer.and_then(|answer| number(&answer["result"]["TTL"]));
        Ok(seconds.filter(|&seconds| seconds > 0).map(Duration::from_secs))
    }

    /// What `key` holds now, by the agreement of a majority.
    ///
    /// # Errors
    /// No answer.
    pub async fn get(&mut self, key: &str) -> Result<Option<EtcdValue>> {
        let request = json!({ "key": base64(key) });
        let answer = self.call("kv/range", &request).await?.unwrap_or_default();
        let Some(found) = answer["kvs"].get(0) else { return Ok(None) };
        let value = found["value"].as_str().unwrap_or_default();
        let value =
            BASE64_STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let lease = found["lease"].as_str().and_then(|text| text.parse().ok());
        Ok(Some(EtcdValue { value: value.unwrap_or_default(), lease: lease.unwrap_or_default() }))
    }

    /// How many keys there are.
    ///
    /// # Errors
    /// No answer.
    pub async fn count(&mut self) -> Result<u64> {
        let all = json!({ "key": "AA==", "range_end": "AA==", "count_only": true });
        let answer = self.call("kv/range", &all).await?.unwrap_or_default();
        Ok(number(&answer["count"]).unwrap_or(0))
    }

    /// Deletes `key` if it holds `value`, in one step; whether it did.
    ///
    /// # Errors
    /// No answer.
    pub async fn delete_if(&mut self, key: &str, value: &str) -> Result<bool> {
        let key = base64(key);
        let is_ours = json!({
            "key": key, "target": "VALUE", "result": "EQUAL", "value": base64(value),
        });
        let delete = json!({ "request_delete_range": { "key": key } });
        let request = json!({ "compare": [is_ours], "success": [delete] });
        let answer = self.call("kv/txn", &request).await?.unwrap_or_default();
        Ok(answer["succeeded"] == true)
    }

    /// Ends `lease` and every key that it holds, in one step; whether there was such a lease.
    ///
    /// # Errors
    /// No answer.
    pub async fn revoke(&mut self, lease: i64) -> Result<bool> {
        let request = json!({ "ID": lease.to_string() });
        Ok(self.call("lease/revoke", &request).await?.is_some())
    }

    async fn call(&mut self, method: &str, request: &Value) -> Result<Option<Value>> {
        self.call_within(self.limit, method, request).await
    }

    /// The answer to one request; none when it named an etcd lease that is not there.
    ///
    /// # Cancel safety
    /// Dropped, the request may have been sent; its connection is left behind, and the next call dials anew.
    async fn call_within(
        &mut self,
        limit: Duration,
        method: &str,
        request: &Value,
    ) -> Result<Option<Value>> {
        let kept = self.gateway.take();
        let mut gateway = match kept.and_then(|mut kept| kept.is_open().then_some(kept)) {
            Some(gateway) => gateway,
            None => {
                let dialled = self.env.timeout(limit, Gateway::dial(&self.dial)).await;
                dialled.map_err(|elapsed| {
                    LockError::definite("could not reach etcd").because(elapsed)
                })??
            }
        };
        let answer = self.env.timeout(limit, gateway.post(method, request)).await;
        let answer = answer.map_err(|elapsed| {
            LockError::indefinite(format!("etcd did not answer {method}")).because(elapsed)
        })?;
        self.gateway = Some(gateway);
        answer
    }
}

impl fmt::Debug for EtcdClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdClient").field("limit", &self.limit).finish_non_exhaustive()
    }
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// A 64-bit number, which the gateway writes as text.
fn number(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}
