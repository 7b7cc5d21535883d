//! What somebody may do, as the API server says it.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReview,
    SubjectAccessReviewSpec,
};
use kube::Client;
use kube::api::{Api, PostParams};

/// What is asked by a text such as `patch rulesets.countersign.dev/status:countersign in shop`.
fn asked(text: &str) -> ResourceAttributes {
    let (verb, rest) = text.split_once(' ').expect("a verb");
    let (what, namespace) = match rest.split_once(" in ") {
        Some((what, namespace)) => (what, Some(namespace)),
        None => (rest, None),
    };
    let apart = |text: &str, by: char| match text.split_once(by) {
        Some((one, other)) => (one.to_owned(), Some(other.to_owned())),
        None => (text.to_owned(), None),
    };
    let (what, name) = apart(what, ':');
    let (what, subresource) = apart(&what, '/');
    let (resource, group) = apart(&what, '.');
    ResourceAttributes {
        verb: Some(verb.to_owned()),
        resource: Some(resource),
        group,
        subresource,
        name,
        namespace: namespace.map(str::to_owned),
        ..ResourceAttributes::default()
    }
}

/// Whether whoever has this client may do it.
pub(super) async fn may(client: &Client, what: &str) -> bool {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(asked(what)),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let review = reviews.create(&PostParams::default(), &review).await;
    review.expect(what).status.expect(what).allowed
}

/// Whether a person may do it.
pub(super) async fn person_may(client: &Client, person: &str, what: &str) -> bool {
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(person.to_owned()),
            resource_attributes: Some(asked(what)),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    let review = reviews.create(&PostParams::default(), &review).await;
    review.expect(what).status.expect(what).allowed
}
