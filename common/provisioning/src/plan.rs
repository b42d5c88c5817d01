use std::fmt;

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};

/// How many steps run at the same time.
const AT_ONCE: usize = 8;

/// The changes that are needed to turn what exists into what is needed.
#[derive(Debug, Default)]
pub struct Plan {
    /// The steps that run first, one after the other: those for streams.
    pub(crate) first: Vec<Step>,
    /// The steps that run after the first ones, in any order.
    pub(crate) then: Vec<Step>,
    /// Why the plan cannot be applied, one sentence for each change that would lose data.
    pub(crate) refused: Vec<String>,
}

/// One change, with its description for the operator.
pub(crate) struct Step {
    pub(crate) says: String,
    pub(crate) work: BoxFuture<'static, Result<()>>,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

impl Step {
    pub(crate) fn new(says: impl Into<String>, work: impl Future<Output = Result<()>> + Send + 'static) -> Self {
        Self { says: says.into(), work: Box::pin(work) }
    }

    async fn take(self) -> Result<()> {
        tracing::info!("{}", self.says);
        self.work.await.with_context(|| format!("this failed: {}", self.says))
    }
}

impl Plan {
    /// Whether nothing has to be changed and nothing is refused.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.then.is_empty() && self.refused.is_empty()
    }

    /// The description of each change and of each refusal, one line each.
    pub fn lines(&self) -> Vec<String> {
        let steps = self.first.iter().chain(&self.then).map(|step| step.says.clone());
        steps.chain(self.refused.iter().map(|sentence| format!("refused: {sentence}"))).collect()
    }

    /// Applies the plan. Changes nothing at all if something is refused.
    ///
    /// # Errors
    /// What was refused, or the step that failed. After a failure, making and applying a new plan
    /// is harmless.
    pub async fn apply(self) -> Result<()> {
        if !self.refused.is_empty() {
            bail!("nothing is changed, as this would lose data:\n{}", self.refused.join("\n"));
        }
        for step in self.first {
            step.take().await?;
        }
        stream::iter(self.then.into_iter().map(Step::take)).buffer_unordered(AT_ONCE).try_collect().await
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.first.extend(other.first);
        self.then.extend(other.then);
        self.refused.extend(other.refused);
    }
}
