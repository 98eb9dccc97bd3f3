"""English messages on models that are trained: what is handed on of them."""

MODELS = {
    "trainer-only-writes": "trainer '{trainer}' only writes its configuration",
    "trainer-no-environment": "trainer '{trainer}' needs no environment of its own",
    "trainer-no-copies": "trainer '{trainer}' hands on no models",
    "no-model-trained": "the run in '{folder}' trained no model",
    "model-of-earlier-recipe": "note: '{recipe}' is not the recipe of this run, or was changed after it; the model is that of the run: {model}",
    "model-gone": "the model is not in '{model}' any more",
    "model-refused": "{error}",
    "copy-in-the-way": "'{path}' is there already",
    "no-hub-place": "'{place}' is not huggingface:OWNER/NAME or modelscope:OWNER/NAME",
    "model-pushed": "sent: {address}",
    "publication-head": "to {address}, repository {repository}: {files} files, {bytes} bytes",
    "publication-private": "a new repository is private (--public otherwise)",
    "publication-public": "a new repository is public: everybody may read it",
    "publication-token": "by the token in {token}",
    "publication-login": "by the hub's own login on this machine, since {token} is not set",
    "publication-not-sent": "nothing is sent yet: the same command with --yes sends it",
    "model-not-loaded": "model '{model}' cannot be loaded: {error}",
}
