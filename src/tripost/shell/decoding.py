"""Who decodes for a stage: this process, or an endpoint that proves to serve the stage's model."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tripost.chat.completions import Completions
from tripost.interfaces import Decoder
from tripost.layout import Layout
from tripost.models.decoder import TorchDecoder
from tripost.models.endpoint import EndpointDecoder, served_name
from tripost.models.proof import prove
from tripost.params import Params
from tripost.shell.serving import serving


@contextmanager
def decoder_of(params: Params, layout: Layout, model: Path, batch_size: int, what: str) -> Iterator[Decoder]:
    """The model's decoder. Raises EndpointError where the endpoint serves another model.

    `what`: the stage and iteration.
    """
    precision, serve = params.model.decode_precision, params.serve
    if params.model.backend == "local":
        yield TorchDecoder(str(model), batch_size, precision)
        return
    with ExitStack() as stack:
        name, completions = serve.served_as, Completions(serve, serve.base_url or "")
        if serve.command is not None:
            hidden = [endpoint.key for endpoint in params.calls.endpoints.values() if endpoint.key]
            server = stack.enter_context(serving(serve, model, precision, "@".join(what.split()), hidden))
            name = name or str(server.folder)
            completions = Completions(serve, server.base_url, server.still_there)
        decoder = EndpointDecoder(model, completions, served_name(completions, name))
        found = prove(decoder, model, precision, layout, needed=serve.base_url is not None)
        print(f"{what}: {found}", file=sys.stderr, flush=True)
        yield decoder
