"""The SOAP edge, the only room that imports Spyne: streaming protocol, WS-Security, faults, WSDL."""
