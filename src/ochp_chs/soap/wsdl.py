"""Publishes the contract over HTTP, with this server's own address in it.

The WSGI layer routes GET (and HEAD) to ``Publisher.find(path, query, base_url)``, which knows:

- ``<endpoint>?wsdl`` and ``<endpoint>?singleWsdl`` for the three endpoints; the query in any case,
  because clients spell it ``?wsdl``, ``?WSDL`` and ``?Wsdl``;
- ``<folder of the endpoint>/ochp.wsdl``, ``.../ochp-direct.wsdl`` and ``.../types/<name>.xsd``, for
  instance ``/direct/ochp/types/message-elements.xsd``.

All of them are XML in UTF-8 (``text/xml; charset=utf-8``). ``base_url`` is where the caller reached
the server (scheme, host, port and path prefix); a configured public URL takes its place.

Why paths, not ``?xsd=...``: a schema is named by the plain relative URL that stands in the file,
``types/message-elements.xsd``. Every client replaces the last segment of the URL it read, so
``/service/ochp/v1.4?wsdl`` leads to ``/service/ochp/types/message-elements.xsd`` and the includes
inside it to their neighbours. A relative reference that is only a query is resolved in two ways
(RFC 3986 keeps the last segment, older resolvers drop it), and an absolute URL breaks behind a
proxy that the server does not know of. A contract that was saved to disk keeps working as well.
"""

import re
from types import MappingProxyType

from lxml import etree

from ochp_chs.ochp.operations import Endpoint
from ochp_chs.ochp.schema import XSD, contract_dir, included_files, merged_schema, parser

#: The host that stands in the files under wsdl/.
PLACEHOLDER = "https://clearing-house.example"

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_MAIN = "ochp.wsdl"
_DIRECT = "ochp-direct.wsdl"
_SERVED_AT = MappingProxyType(
    {Endpoint.SERVICE: _MAIN, Endpoint.LIVE: _MAIN, Endpoint.DIRECT: _DIRECT}
)
_PARTS_IN_ORDER = ("documentation", "types", "message", "portType", "binding", "service")

# The host comes from the request, so it is checked before it goes into a document: nothing but a
# scheme, a host, a port and a path, none of which needs escaping in XML.
_BASE_URL = re.compile(r"https?://[\w.~%:\[\]-]+(/[\w.~%/-]*)?", re.ASCII)


class Publisher:
    """The contract as bytes, made ready once; only the address is filled in per request."""

    def __init__(self, public_url: str | None) -> None:
        """Read the contract; ``public_url`` (if any) is given out whatever the caller used."""
        self._public_url = public_url
        self._wsdl = {name: _with_imports(name) for name in (_MAIN, _DIRECT)}
        self._single_wsdl = {name: _single_file(name) for name in (_MAIN, _DIRECT)}
        self._schemas = {f"types/{path.name}": path.read_bytes() for path in included_files()}

    def wsdl(self, endpoint: Endpoint, base_url: str) -> bytes:
        """Return the WSDL of an endpoint; it names its schemas by relative URL."""
        return self._addressed(self._wsdl[_SERVED_AT[endpoint]], base_url)

    def single_wsdl(self, endpoint: Endpoint, base_url: str) -> bytes:
        """Return the WSDL of an endpoint in one file, without import and include."""
        return self._addressed(self._single_wsdl[_SERVED_AT[endpoint]], base_url)

    def document(self, path: str, base_url: str) -> bytes | None:
        """Return what a relative URL of the contract leads to, by its path; None when unknown."""
        for endpoint in Endpoint:
            folder = endpoint.rpartition("/")[0] + "/"
            if path.startswith(folder):
                name = path.removeprefix(folder)
                if name in self._wsdl:
                    return self._addressed(self._wsdl[name], base_url)
                return self._schemas.get(name)
        return None

    def find(self, path: str, query: str, base_url: str) -> bytes | None:
        """Return the document at a path and query of this server; None when there is none.

        Raises ValueError for a ``base_url`` that is not an http or https URL.
        """
        if path not in set(Endpoint):
            return self.document(path, base_url)
        wanted = {part.partition("=")[0].lower() for part in query.split("&")}
        if "wsdl" in wanted:
            return self.wsdl(Endpoint(path), base_url)
        if "singlewsdl" in wanted:
            return self.single_wsdl(Endpoint(path), base_url)
        return None

    def _addressed(self, template: bytes, base_url: str) -> bytes:
        base = (self._public_url or base_url).rstrip("/")
        if not _BASE_URL.fullmatch(base):
            raise ValueError(f"not an http or https URL: {base[:100]!r}")
        return template.replace(PLACEHOLDER.encode(), base.encode())


def _read(name: str) -> etree._Element:
    return etree.fromstring((contract_dir() / name).read_bytes(), parser())


def _with_imports(name: str) -> bytes:
    return _to_bytes(_read(name))


def _single_file(name: str) -> bytes:
    """Return a WSDL with the schemas, and the WSDL it imports, put inside."""
    root = _read(name)
    for imported in root.findall(f"{_WSDL}import"):
        # Not its service: the importing one lists the same ports and more, and a client that
        # takes the first service it finds has to find that one.
        root.extend(
            node
            for node in list(_read(imported.get("location", "")))
            if node.tag in {_WSDL + part for part in ("message", "portType", "binding")}
        )
        root.remove(imported)
    _put_schema_inside(root)
    order = {_WSDL + part: position for position, part in enumerate(_PARTS_IN_ORDER)}
    root[:] = sorted(root, key=lambda node: order[str(node.tag)])
    return _to_bytes(root)


def _put_schema_inside(root: etree._Element) -> None:
    for types in root.iterfind(f"{_WSDL}types"):
        for node in types.iterfind(f"{XSD}schema/{XSD}import"):
            types[:] = [merged_schema(str(node.get("schemaLocation")).rpartition("/")[2])]


def _to_bytes(root: etree._Element) -> bytes:
    etree.cleanup_namespaces(root, keep_ns_prefixes=["wsdl", "soap", "xs", "tns"])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
