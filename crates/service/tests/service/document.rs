//! The document and the routes are of one mind.

use serde_json::Value as Json;

use crate::shop::Shop;

#[tokio::test]
async fn every_route_of_the_document_is_there() {
    let shop = Shop::open(&[]).await;
    let document = shop.get("/openapi.json").await.expect(200);
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in paths {
        let path = path.replace("{id}", "x").replace("{seatId}", "x");
        for method in methods.as_object().unwrap().keys() {
            let reply = shop.send(&method.to_uppercase(), &path, &[], b"{}").await;
            assert_ne!(reply.status, 405, "{method} {path}");
            assert!(
                reply.status != 404 || reply.body.contains("booking"),
                "{method} {path}: {reply:?}"
            );
            let answers = methods[method]["responses"].as_object().unwrap();
            assert!(answers.contains_key(&reply.status.to_string()), "{method} {path}: {reply:?}");
        }
    }
}

#[test]
fn every_route_is_in_the_document() {
    let document: Json = serde_json::from_str(&lockproof_service::document()).unwrap();
    let source = include_str!("../../src/routes.rs");
    let routes = source.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let missing: Vec<_> = routes.filter(|route| document["paths"][route].is_null()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(source.matches(".route(\"").count() >= 21);
}
