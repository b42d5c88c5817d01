//! Adds the conditional headers to the OpenAPI document.

use utoipa::openapi::{
    HeaderBuilder, Object, RefOr, Required, ResponseBuilder, Type,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
};

use super::add_error;

/// Adds the conditional headers to the operations of a path: `If-None-Match` to reads, `If-Match`
/// to changes that can answer 412.
pub(super) fn describe(item: &mut PathItem) {
    item.get.iter_mut().for_each(describe_read);
    [&mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten().for_each(describe_change);
}

fn describe_read(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    if let Some(RefOr::T(response)) = responses.get_mut("200") {
        let text = Object::with_type(Type::String);
        let description = "What this answer is known by. A list that is sent in several parts has none.";
        let tag = HeaderBuilder::new().schema(Some(text)).description(Some(description)).build();
        response.headers.insert("ETag".to_owned(), RefOr::T(tag));
    }
    let description = "It is still what `If-None-Match` names.";
    responses.insert("304".to_owned(), RefOr::T(ResponseBuilder::new().description(description).build()));
    let description = "The `ETag` of an answer that is known already, or several with commas between.";
    takes(operation, "If-None-Match", description);
}

fn describe_change(operation: &mut Operation) {
    let is_conditional = operation.responses.responses.contains_key("412");
    let detail = if is_conditional {
        "`bad_precondition`: `If-Match` is neither `*` nor a list of ETags, or there is an `If-None-Match`."
    } else {
        "`bad_precondition`: this call cannot be made on condition (`If-Match`, `If-None-Match`)."
    };
    add_error(operation, "400", detail);
    if is_conditional {
        let description = "Change it only where it is still as it was read: the `ETag` of that answer, or several \
                           with commas between.";
        takes(operation, "If-Match", description);
    }
}

fn takes(operation: &mut Operation, name: &str, description: &str) {
    let parameter: Parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(Object::with_type(Type::String)))
        .build();
    operation.parameters.get_or_insert_default().push(parameter.into());
}
