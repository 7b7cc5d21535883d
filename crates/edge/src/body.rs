//! Bodies in passing: streamed both ways, without trailers that a head may not say either.

use crate::headers;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What went wrong while a body was read.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A body of either direction, known by nothing but its bytes.
pub(crate) type AnyBody = UnsyncBoxBody<Bytes, BodyError>;

/// A body that is held whole.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> AnyBody {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body on its way through. What it holds is let go when its last byte has gone, or it is dropped.
pub(crate) struct Passing<B, G> {
    body: B,
    held: Option<G>,
}

impl<B, G> Passing<B, G> {
    /// Lets the body pass, and holds `held` until it has.
    pub(crate) fn new(body: B, held: G) -> Self {
        Self {
            body,
            held: Some(held),
        }
    }
}

impl<B, G> Body for Passing<B, G>
where
    B: Body<Data = Bytes> + Unpin,
    G: Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        if this.body.is_end_stream() || !matches!(frame, Some(Ok(_))) {
            this.held = None;
        }
        Poll::Ready(frame.map(|frame| frame.map(without_forged_trailers)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn without_forged_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            headers::strip_trailers(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}
