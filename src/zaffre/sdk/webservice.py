"""Services: their names only, until deployment is built."""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt, method


class Webservice(Unbuilt):
    """A model behind HTTP."""

    check_for_existing_webservice = method("Webservice.check_for_existing_webservice")
    deploy = method("Webservice.deploy")
    deploy_from_image = method("Webservice.deploy_from_image")
    deploy_from_model = method("Webservice.deploy_from_model")
    deploy_local_from_model = method("Webservice.deploy_local_from_model")
    deserialize = method("Webservice.deserialize")
    list = method("Webservice.list")


class AciWebservice(Webservice):
    """A service on container instances."""

    deploy_configuration = method("AciWebservice.deploy_configuration")


class AksWebservice(Webservice):
    """A service on Kubernetes."""

    deploy_configuration = method("AksWebservice.deploy_configuration")


class AksEndpoint(AksWebservice):
    """A service with several versions behind one address."""

    deploy_configuration = method("AksEndpoint.deploy_configuration")


class LocalWebservice(Webservice):
    """A service on this machine."""

    deploy_configuration = method("LocalWebservice.deploy_configuration")


class UnknownWebservice(Webservice):
    """A service of a kind that this SDK does not know."""
