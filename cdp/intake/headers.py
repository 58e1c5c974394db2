"""The fields that common column headers mean, in English and Portuguese, for files without a mapping."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from cdp.intake.errors import MappingError
from cdp.intake.mapping import FieldMapping, Pattern
from cdp.intake.shape import (
    ADDRESS_FIELDS,
    DOCUMENT_TYPES,
    KEY_FIELDS,
    OBJECT_LIST_FIELDS,
    TEXT_FIELDS,
    TEXT_LIST_FIELDS,
)
from cdp.intake.transforms import TransformSpec

# Header, folded by `fold_header`, to the path of the field it feeds.
HEADERS: Mapping[str, str] = {
    **{name: name for name in (*KEY_FIELDS, *TEXT_FIELDS, *TEXT_LIST_FIELDS, "verified")},
    **{name: f"address.{name}" for name in ADDRESS_FIELDS},
    "origem": "source",
    "fonte": "source",
    "sistema": "source",
    "id": "source_record_id",
    "record_id": "source_record_id",
    "customer_id": "source_record_id",
    "client_id": "source_record_id",
    "codigo": "source_record_id",
    "cod_cliente": "source_record_id",
    "codigo_cliente": "source_record_id",
    "id_cliente": "source_record_id",
    "cliente_id": "source_record_id",
    "matricula": "source_record_id",
    "updated_at": "occurred_at",
    "atualizado_em": "occurred_at",
    "data_atualizacao": "occurred_at",
    "ultima_atualizacao": "occurred_at",
    "nome": "full_name",
    "name": "full_name",
    "nome_completo": "full_name",
    "nome_cliente": "full_name",
    "nome_do_cliente": "full_name",
    "cliente": "full_name",
    "primeiro_nome": "given_name",
    "first_name": "given_name",
    "firstname": "given_name",
    "nome_proprio": "given_name",
    "sobrenome": "family_name",
    "ultimo_nome": "family_name",
    "apelido": "family_name",
    "last_name": "family_name",
    "lastname": "family_name",
    "surname": "family_name",
    "nome_social": "social_name",
    "birthdate": "birth_date",
    "date_of_birth": "birth_date",
    "dob": "birth_date",
    "birthday": "birth_date",
    "nascimento": "birth_date",
    "data_nascimento": "birth_date",
    "data_de_nascimento": "birth_date",
    "dt_nascimento": "birth_date",
    "dt_nasc": "birth_date",
    "data_nasc": "birth_date",
    "sexo": "gender",
    "sex": "gender",
    "genero": "gender",
    "phone": "phones",
    "phone_number": "phones",
    "mobile": "phones",
    "mobile_phone": "phones",
    "telefone": "phones",
    "telefones": "phones",
    "telefone_celular": "phones",
    "telefone_fixo": "phones",
    "telefone_residencial": "phones",
    "telefone_comercial": "phones",
    "telemovel": "phones",
    "celular": "phones",
    "fone": "phones",
    "tel": "phones",
    "whatsapp": "phones",
    "email": "emails",
    "e_mail": "emails",
    "e_mails": "emails",
    "mail": "emails",
    "email_address": "emails",
    "correio_eletronico": "emails",
    "endereco_de_email": "emails",
    "device_id": "device_ids",
    "whatsapp_bsuid": "whatsapp_bsuids",
    "verificado": "verified",
    **{kind: f"documents.{kind}" for kind in DOCUMENT_TYPES if kind != "other"},
    "nif_contribuinte": "documents.nif",
    "contribuinte": "documents.nif",
    "rg": "documents.national_id",
    "identidade": "documents.national_id",
    "cartao_cidadao": "documents.national_id",
    "passaporte": "documents.passport",
    "cnh": "documents.drivers_license",
    **{name: f"handles.{name}" for name in ("instagram", "facebook", "twitter", "tiktok", "telegram")},
    "linkedin": "handles.linkedin",
    "endereco": "address.street",
    "address": "address.street",
    "logradouro": "address.street",
    "rua": "address.street",
    "morada": "address.street",
    "numero": "address.number",
    "house_number": "address.number",
    "complemento": "address.complement",
    "bairro": "address.district",
    "freguesia": "address.district",
    "cidade": "address.city",
    "municipio": "address.city",
    "localidade": "address.city",
    "town": "address.city",
    "uf": "address.region",
    "estado": "address.region",
    "state": "address.region",
    "distrito": "address.region",
    "cep": "address.postal_code",
    "codigo_postal": "address.postal_code",
    "postcode": "address.postal_code",
    "zip": "address.postal_code",
    "zip_code": "address.postal_code",
    "pais": "address.country",
    "nome_mae": "attributes.mother_name",
    "nome_da_mae": "attributes.mother_name",
    "mother_name": "attributes.mother_name",
    "profissao": "attributes.occupation",
    "occupation": "attributes.occupation",
}
# Headers in the plural hold several values in one cell.
SEVERAL_IN_ONE = frozenset(
    {"phones", "emails", "device_ids", "whatsapp_bsuids", "verified", "telefones", "e_mails"}
)
SPLIT_SEVERAL = TransformSpec("split", (";", ",", "|"))
GROUPS = ("address", "attributes", *OBJECT_LIST_FIELDS)


def fold_header(header: str) -> str:
    """`Código Postal` as `codigo_postal`; dots stay, they part a path."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", header) if not unicodedata.combining(each))
    return re.sub(r"[^a-z0-9.]+", "_", bare.lower()).strip("_.")


def field_of_header(header: str) -> str | None:
    """The path of the field that a header means, None for an unknown one; `Telefone 2` is `Telefone`."""
    group, dot, rest = header.strip().partition(".")
    group = fold_header(group)
    if dot and rest.strip() and group in GROUPS:
        return _field_in_group(group, rest.strip())
    folded = fold_header(header)
    numberless = re.sub(r"_?\d{1,2}$", "", folded)
    found = HEADERS.get(folded)
    if found is None and HEADERS.get(numberless) in TEXT_LIST_FIELDS:
        found = HEADERS[numberless]
    return found


def _field_in_group(group: str, rest: str) -> str | None:
    if group == "attributes":
        return f"attributes.{rest}"
    folded = fold_header(rest)
    if group == "address":
        known = HEADERS.get(folded, "")
        return known if known.startswith("address.") else None
    if group == "documents" and folded not in DOCUMENT_TYPES:
        return None
    return f"{group}.{folded}"


def guess_fields(
    columns: Sequence[str], nested_columns: frozenset[str]
) -> tuple[FieldMapping, dict[str, tuple[TransformSpec, ...]], list[str]]:
    """The fields that the headers mean, the splits of those in the plural, and the columns that mean nothing.

    Raises MappingError when two columns mean one single-valued field.
    """
    texts: dict[str, Pattern] = {}
    lists: dict[str, tuple[Pattern, ...]] = {}
    objects: dict[str, tuple[tuple[Pattern, Pattern], ...]] = {}
    whole: dict[str, str] = {}
    transforms: dict[str, tuple[TransformSpec, ...]] = {}
    unknown: list[str] = []
    for column in filter(None, columns):
        pattern = Pattern(("", ""), (column,))
        path = _nested_field(column) if column in nested_columns else field_of_header(column)
        group, _, label = (path or "").partition(".")
        if path is None:
            unknown.append(column)
        elif path in TEXT_LIST_FIELDS or path == "verified":
            lists[path] = (*lists.get(path, ()), pattern)
            if column not in nested_columns and fold_header(column) in SEVERAL_IN_ONE:
                transforms[column] = (SPLIT_SEVERAL,)
        elif group in OBJECT_LIST_FIELDS and label:
            objects[group] = (*objects.get(group, ()), (Pattern((label,)), pattern))
        elif path in GROUPS:
            whole[path] = column
        elif path in texts:
            raise MappingError(
                f"the columns {texts[path].columns[0]} and {column} both mean {path}; use a mapping."
            )
        else:
            texts[path] = pattern
    for group in whole:
        if group in objects or any(path.startswith(f"{group}.") for path in texts):
            raise MappingError(f"{group} comes in one column and in several; use a mapping file.")
    return FieldMapping(texts, lists, objects, whole), transforms, unknown


def _nested_field(column: str) -> str | None:
    folded = fold_header(column)
    return folded if folded in GROUPS or folded in TEXT_LIST_FIELDS or folded == "verified" else None
