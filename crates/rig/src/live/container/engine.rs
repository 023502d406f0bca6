//! The engine, asked from a thread of its own: its client keeps connections that belong to one runtime.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{
    KillContainerOptions, ListContainersOptions, RemoveContainerOptions,
};
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};

use crate::RigError;
use crate::live::background::Background;

/// By this label a container says whose it is: the directory of its run.
pub(super) const LABEL: &str = "lockproof.run";
/// Time to pull an image that is not there.
const STARTS_WITHIN: Duration = Duration::from_secs(300);

/// The engine of this machine.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    background: Arc<Background>,
    docker: Docker,
}

impl Engine {
    pub(super) fn find() -> Result<Self, RigError> {
        let cannot = |error| RigError::new("cannot start the thread for containers").because(error);
        let background = Arc::new(Background::start().map_err(cannot)?);
        let docker = background.wait(async {
            let docker = docker_client_instance().await.map_err(|error| error.to_string())?;
            docker.ping().await.map_err(|error| error.to_string())?;
            Ok::<_, String>(docker)
        });
        let docker = docker.map_err(|error| {
            RigError::new(
                "no container engine answers; start one (dockerd), or name it: DOCKER_HOST=unix:///…",
            )
            .because(error)
        })?;
        Ok(Self { background, docker })
    }

    pub(super) fn version(&self) -> Result<String, RigError> {
        let docker = self.docker.clone();
        let version = self.background.wait(async move { docker.version().await });
        let version = version.map_err(|error| asked("for its version", error))?;
        Ok(version.version.unwrap_or_else(|| "version unknown".to_owned()))
    }

    /// Starts a container that bears `run`'s name, and waits until its process runs.
    pub(super) async fn start(
        &self,
        request: ContainerRequest<GenericImage>,
        run: &Path,
    ) -> Result<Contained, RigError> {
        let image = request.descriptor();
        let request = request
            .with_label(LABEL, run.display().to_string())
            .with_startup_timeout(STARTS_WITHIN);
        let started = self.background.run(async move { request.start().await }).await;
        let container = started.map_err(|error| {
            let what = format!("cannot start a container of {image}; name another image, or make one: cargo xtask image");
            RigError::new(what).because(error.to_string())
        })?;
        let id = container.id().to_owned();
        Ok(Contained { engine: self.clone(), id, container: Some(container) })
    }

    /// Removes the containers of runs whose directory is gone.
    pub(super) fn sweep(&self) -> Result<(), RigError> {
        let docker = self.docker.clone();
        let swept = self.background.wait(async move {
            let labelled = [("label".to_owned(), vec![LABEL.to_owned()])];
            let options = ListContainersOptions {
                all: true,
                filters: Some(labelled.into_iter().collect()),
                ..ListContainersOptions::default()
            };
            for container in docker.list_containers(Some(options)).await? {
                let run = container.labels.unwrap_or_default().remove(LABEL);
                let is_dead = run.is_some_and(|run| !Path::new(&run).exists());
                if let Some(id) = container.id.filter(|_| is_dead) {
                    docker.remove_container(&id, Some(forced())).await?;
                }
            }
            Ok(())
        });
        swept.map_err(|error| asked("to remove what killed runs have left", error))
    }
}

fn forced() -> RemoveContainerOptions {
    RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() }
}

fn asked(what: &str, error: testcontainers::bollard::errors::Error) -> RigError {
    RigError::new(format!("could not ask the container engine {what}")).because(error)
}

/// A container. Dropping it removes it, whatever state it is in.
#[derive(Debug)]
pub(super) struct Contained {
    engine: Engine,
    pub(super) id: String,
    container: Option<ContainerAsync<GenericImage>>,
}

impl Contained {
    pub(super) async fn pause(&self) -> Result<(), RigError> {
        let (docker, id) = (self.engine.docker.clone(), self.id.clone());
        let paused = self.engine.background.run(async move { docker.pause_container(&id).await });
        paused.await.map_err(|error| asked("to pause a container", error))
    }

    pub(super) async fn unpause(&self) -> Result<(), RigError> {
        let (docker, id) = (self.engine.docker.clone(), self.id.clone());
        let goes = self.engine.background.run(async move { docker.unpause_container(&id).await });
        goes.await.map_err(|error| asked("to let a container go on", error))
    }

    /// The same for somebody who cannot wait.
    pub(super) fn unpause_now(&self) {
        let (docker, id) = (self.engine.docker.clone(), self.id.clone());
        let goes = self.engine.background.wait(async move { docker.unpause_container(&id).await });
        if let Err(error) = goes {
            tracing::warn!(%error, "a container stands still");
        }
    }

    /// `SIGKILL` for its first process, and with it for all.
    pub(super) async fn kill(&self) -> Result<(), RigError> {
        let (docker, id) = (self.engine.docker.clone(), self.id.clone());
        let options = KillContainerOptions { signal: "SIGKILL".to_owned() };
        let killed = async move { docker.kill_container(&id, Some(options)).await };
        let killed = self.engine.background.run(killed).await;
        killed.map_err(|error| asked("to kill a container", error))?;
        while self.state().await? != "exited" {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    pub(super) async fn start_again(&self) -> Result<(), RigError> {
        let (docker, id) = (self.engine.docker.clone(), self.id.clone());
        let started = async move { docker.start_container(&id, None).await };
        let started = self.engine.background.run(started).await;
        started.map_err(|error| asked("to start a container again", error))
    }

    /// `running`, `paused` or `exited`, as the engine says.
    pub(super) async fn state(&self) -> Result<String, RigError> {
        let (docker, id) = (self.engine.docker.clone(), self.id.clone());
        let seen = async move { docker.inspect_container(&id, None).await };
        let seen = self.engine.background.run(seen).await;
        let seen = seen.map_err(|error| asked("how a container is", error))?;
        let status = seen.state.and_then(|state| state.status);
        Ok(status.map_or_else(|| "unknown".to_owned(), |status| status.to_string()))
    }

    /// Where its `port` can be reached from here.
    pub(super) async fn host(&self) -> Result<String, RigError> {
        let container = self.container.as_ref().expect("it is there until it is dropped");
        let host = container.get_host().await;
        let unknown = |error: testcontainers::TestcontainersError| {
            RigError::new("the engine does not say where its containers are")
                .because(error.to_string())
        };
        Ok(host.map_err(unknown)?.to_string())
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let Some(container) = self.container.take() else { return };
        // By force: one that stands still is removed as well.
        let removed = self.engine.background.wait(async move { container.rm().await });
        if let Err(error) = removed {
            tracing::warn!(%error, "a container is left behind, and the next run will remove it");
        }
    }
}

/// The engine's version, or why none answers.
pub(super) fn look() -> Result<String, String> {
    let engine = Engine::find().map_err(|error| lockproof_model::in_full(&error))?;
    engine.version().map_err(|error| lockproof_model::in_full(&error))
}
