"""The SOAP edge, the only room that imports Spyne: protocol, WS-Security, faults, WSDL."""
