// Generated from docs/openapi.json by script/generate.

export interface components {
    schemas: {
        /** @description What a registered account holds. */
        Account: {
            avatar: string;
            campus: string;
            consent?: components["schemas"]["Consent"] | null;
            email: string;
            nickname: string;
            phone: string;
            /** @description The deployment's own fields that have a value. */
            profile: Record<string, unknown>;
            /** @description `user` or `admin`. */
            role: string;
            /**
             * Format: int64
             * @description The account's number, never above 2^53 - 1.
             */
            uid: number;
        };
        /** @description What an account's route did not do. */
        AccountFailure: {
            error?: components["schemas"]["SignInError"] | null;
            /** @description Words for a person; may change. */
            message: string;
            /** @description The stable word that clients switch on; `invalid_<field>` for a field that is not as it should be. */
            status: string;
            success: boolean;
        };
        /** @description Where the picture is shown. */
        AvatarReply: {
            /** @description Its address, which is the account's `avatar` from now on. */
            data: string;
            success: boolean;
        };
        /** @description A picture to upload. */
        AvatarUpload: {
            /**
             * Format: binary
             * @description PNG, JPEG or WebP, 2 MiB and 4096 x 4096 pixels at most, not moving.
             */
            file: string;
        };
        /** @description A number, and the code that was sent to it. */
        CodeRequest: {
            /** @description Six digits; a number is padded with zeros. */
            code: string;
            /** @description The phone number in any spelling. */
            phone: string;
        };
        /** @description A person's agreement to a version of the privacy policy. */
        Consent: {
            /** @description Since when, RFC 3339, UTC. */
            at: string;
            /** @description As the deployment names it. */
            version: string;
        };
        /** @description What the person agrees to now. */
        ConsentReply: {
            consent?: components["schemas"]["Consent"] | null;
            /** @description `consent_given` or `consent_withdrawn`. */
            status: string;
            success: boolean;
        };
        /** @description One of `version` and `withdraw`. */
        ConsentRequest: {
            /** @description The version of the privacy policy that the person agrees to: the current one. */
            version?: string | null;
            /** @description `true` takes the consent back. */
            withdraw?: boolean | null;
        };
        /** @description They are gone. */
        DeleteReply: {
            message: string;
            success: boolean;
        };
        /** @description Who is to be deleted. */
        DeleteRequest: {
            /** @description One's own openid in any of the mini programs, or anybody's for an administrator. */
            openid: string;
        };
        /** @description It is done. */
        Done: {
            success: boolean;
        };
        /** @description How far the change of the address is. */
        EmailChangeReply: {
            /** @description Always `verification_email_sent`. */
            status: string;
            success: boolean;
        };
        /** @description The failure of a route that has no shape of its own. */
        GeneralFailure: {
            /** @description A stable word; see the reference of error codes. */
            error: string;
            /** @description Words for a person; may change. */
            message: string;
            success: boolean;
        };
        /** @description Every older token of the account is refused from now on. */
        LogoutAllReply: {
            /** @description A fresh bearer token, made after the others ended. */
            access_token: string;
            success: boolean;
        };
        /** @description The caller's own account. For a guest, `success`, `registered` and `openid` alone. */
        Me: (components["schemas"]["Account"] | null) & {
            /** @description WeChat's id of the person in the mini program that the token was made for. */
            openid: string;
            registered: boolean;
            success: boolean;
        };
        /** @description The new mail address. */
        NewEmailRequest: {
            /** @description A link is sent there. */
            email: string;
        };
        /** @description One of `phone` and `phone_code`. */
        NewPhoneRequest: {
            /** @description The new number in any spelling; a code is sent to it. */
            phone?: string | null;
            /** @description What WeChat's phone button gave (`e.detail.code`); the number is changed at once. */
            phone_code?: string | null;
        };
        /** @description How far the change of the number is. */
        PhoneChangeReply: {
            /** @description A fresh bearer token, once the number is changed: every older one of the account is refused. */
            access_token?: string | null;
            /** @description `verification_code_sent` or `phone_updated`. */
            status: string;
            success: boolean;
        };
        /** @description The code that was sent to the new number. */
        PhoneChangeRequest: {
            /** @description Six digits; a number is padded with zeros. */
            code: string;
        };
        /** @description A picture that was not taken. */
        PictureFailure: {
            /** @description Why, in words for a person. */
            data: string;
            success: boolean;
        };
        /** @description How far the person is. */
        RegisterReply: {
            /** @description A fresh bearer token: the guest's, or the new user's. */
            access_token?: string | null;
            /** @description `verification_code_sent`, `user_exists`, `user_need_migration`, `verified` or `user_migrated`. */
            status: string;
            success: boolean;
            /**
             * Format: int64
             * @description The account's number, once there is one.
             */
            uid?: number | null;
        };
        /** @description One of `phone` and `phone_code`. */
        RegisterRequest: {
            /** @description The version of the privacy policy that the person agreed to, where the deployment has one. */
            consent?: string | null;
            /** @description A phone number in any spelling; a code is sent to it. */
            phone?: string | null;
            /** @description What WeChat's phone button gave (`e.detail.code`); no message is sent. */
            phone_code?: string | null;
        };
        /** @description What changed. */
        SetUserReply: {
            /** @description A fresh bearer token, if the role changed: every older one of the account is refused. */
            access_token?: string | null;
            /** @description Each field that is another one now, with its value. */
            changedFields: Record<string, unknown>;
            success: boolean;
        };
        /** @description Any of these, and of the deployment's own fields. */
        SetUserRequest: {
            /**
             * @description An https address on a host that the deployment names, or empty to erase the picture. One of
             *     one's own is uploaded.
             */
            avatar?: string | null;
            /** @description One of the deployment's, if it names any. */
            campus?: string | null;
            /** @description One line of 64 characters at most. */
            nickname?: string | null;
            /** @description `user` or `admin`; for administrators. */
            role?: string | null;
        };
        /** @description WeChat's own number and words, or ours. */
        SignInError: {
            /**
             * Format: int64
             * @description See the reference of error codes.
             */
            errcode: number;
            errmsg: string;
            /** @description WeChat's id of its own request, which its support asks for. */
            rid?: string | null;
        };
        /** @description A sign-in that did not happen. */
        SignInFailure: {
            error: components["schemas"]["SignInError"];
            registered: boolean;
            success: boolean;
        };
        /** @description Who this is. `uid` and `campus` come once the person has registered. */
        SignInReply: {
            /** @description The bearer token for this server, and for the team's services once registered. */
            access_token: string;
            avatar: string;
            campus?: string | null;
            email: string;
            nickname: string;
            /** @description WeChat's id of the person in this mini program. */
            openid: string;
            phone: string;
            /** @description Whether the person has an account whose phone number was verified. */
            registered: boolean;
            /** @description `user` or `admin`; empty for somebody who has not registered. */
            role: string;
            success: boolean;
            /**
             * Format: int64
             * @description The account's number, never above 2^53 - 1.
             */
            uid?: number | null;
        };
        /** @description What `wx.login()` gave, and where. */
        SignInRequest: {
            /** @description The mini program, when one deployment serves several. */
            appid?: string | null;
            /** @description The code: 1 to 512 characters of `[A-Za-z0-9_-]`, single use, five minutes. */
            code: string;
        };
        /** @description The four ways in which a token fails. */
        TokenFailure: {
            /**
             * @description `Unauthorized for no Authorization`, `Unauthorized for no Bearer`, `token_expired` or
             *     `invalid_token`.
             */
            error: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
